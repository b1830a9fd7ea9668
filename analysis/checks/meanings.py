"""What it means when a check does not pass, in a sentence each."""

MEANINGS = {
    "evidence": "A part of what was seen is lost, and what it would have shown is not known.",
    "requests": "The run was not what the scenario asks for, so it says nothing about the claim.",
    "users": "The load was never as wide as the scenario asks for; the system was tested with less.",
    "rendezvous": "The users did not send together, so the surge was milder than its name.",
    "loop lag": "The generator was too busy to be on time: latencies and the load itself are its own doing.",
    "processes": "A part of the generator was missing, and what it would have shown is not known.",
    "own faults": "Requests ended because of the generator; the system was not given the chance to answer.",
    "errors": "Users would have been turned away, or left without an answer.",
    "backends": "Something answers that the configuration does not name.",
    "ledgers": "One of client, balancer and backend is wrong about how much work was done.",
    "balancer": "The cycle began anew in the middle of the run; the exact bound says nothing about two halves.",
    "log": "The balancer's word is incomplete, so nobody knows every pick.",
    "clocks": "Times of client and balancer cannot be compared, and rows of another run may have been mixed in.",
    "counters": "What a backend processed during the run is not known.",
    "identity": "An answer cannot be put down to the backend whose name it bears.",
    "foreign traffic": "Picks went to requests that the client knows nothing of, and moved the split.",
    "unrecorded": "The client's ledger has lost requests that it sent; its counts are too small.",
    "logged twice": "Two rows of the log claim to be the same request; counts of the balancer are too large.",
    "unlogged": "The balancer's log has lost requests that were answered; its counts are too small.",
    "refused": "Requests were turned away before the balancer took note of them, as when it has no connection left.",
    "abandoned": "Answers came too late for the client, or it was stopped; those picks are not in its ledger.",
    "altered": "Users received something else than the backend said, or only a part of it.",
    "retried": "A request took more than one pick, and may have been processed more than once.",
    "failed attempt": "A backend failed at least once, and its weight was lowered for a while.",
    "processed twice": "A POST took effect twice; for an order or a payment that is a damage.",
    "lost in flight": "A POST took effect, and the user was told that it had not, or nothing at all.",
    "uncounted": "A backend says that it created what it did not, or its counter is wrong.",
    "unasked": "Somebody used a backend without the balancer, or its counter is wrong.",
    "split": "The balancer does not divide the requests as its configuration says.",
    "running split": "The balancer strays from its configuration for a while, even if the totals make up for it.",
    "p99": "One user in a hundred waits longer than the scenario allows.",
    "services": "A part of the system was not there while it was tested.",
    "restarts": "A container could not keep up with the load, or somebody restarted it.",
    "OOM kills": "A container has too little memory for this load.",
    "health": "The engine found a service unwell; an orchestrator would have acted on it.",
    "limits": "The containers ran with other limits than those that are claimed.",
    "within limits": "A limit did not hold: what the machine gave is more than what was claimed.",
}


def meaning_of(check: str) -> str:
    """The sentence for a check of this name; what it is about, a backend or a stage, comes last in a name."""
    kind = max((kind for kind in MEANINGS if f"{check} ".startswith(f"{kind} ")), key=len)
    return MEANINGS[kind]
