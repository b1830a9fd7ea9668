"""The caption of each table: a sentence that says what it shows."""

CAPTIONS = {
    "distribution": "How many requests each backend answered, and how far that number is from its share.",
    "latency": "How long answers took, by backend and stage: exact percentiles in milliseconds.",
    "percentiles": "The whole curve of latency of each backend in each stage, in milliseconds.",
    "parts": "The parts of latency, on average and around three percentiles, in milliseconds.",
    "timeline": "The run in short periods of equal length: users, requests, failures, latency in milliseconds.",
    "stages": "The load that the generator produced in each stage.",
    "totals": "Users, connections and requests in flight of all generator processes, at each sample.",
    "processes": "What each process of the generator used.",
    "overhead": "What the generator itself added to the measurement, in milliseconds.",
    "intervals": "What each service used between one sample and the next.",
    "usage": "What each service used, and how many requests it answered per CPU second.",
    "reconciliation": "What client, balancer and backends counted, side by side.",
    "differences": "The requests on which client, balancer and backends do not agree.",
    "aftermath": "What each fault caused, beside what was predicted; times in seconds.",
    "course": "The share of picks of each backend over time, beside the predicted share.",
    "losses_over_time": "The cost of the faults over time: failed requests, by their cause.",
    "running": "The possible deviation of each backend from its share at every moment.",
}


def caption_of(table: str) -> str:
    """The caption of a table, or its name when it has no caption."""
    return CAPTIONS.get(table, table)
