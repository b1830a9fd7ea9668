"""What each table shows, in a sentence."""

CAPTIONS = {
    "distribution": "How many requests each backend answered, and how far that is from its share.",
    "latency": "How long answers took, by backend and stage: exact percentiles in milliseconds.",
    "percentiles": "The whole curve of latency of each backend in each stage, in milliseconds.",
    "parts": "What latency is made of, on average and around three percentiles, in milliseconds.",
    "timeline": "The run, stretch by stretch: users, requests, failures, latency in milliseconds.",
    "stages": "What the generator brought about in each stage.",
    "totals": "All processes of the generator together, moment by moment.",
    "processes": "What each process of the generator used.",
    "overhead": "What the generator itself added to the measurement, in milliseconds.",
    "intervals": "What each service used between each two samples.",
    "usage": "What each service used, and how much it answered for it.",
    "reconciliation": "What client, balancer and backends counted, side by side.",
    "differences": "The requests on which client, balancer and backends do not agree.",
    "aftermath": "What came of each fault, beside what was predicted of it; times in seconds.",
    "course": "How often each backend was picked, stretch by stretch, beside the share that was predicted.",
    "toll": "What the faults cost, stretch by stretch: requests that failed, by their cause.",
    "running": "How far each backend can have been from its share, moment by moment.",
}


def caption_of(table: str) -> str:
    """The sentence for a table of this name, or the name of one that has none."""
    return CAPTIONS.get(table, table)
