"""The files that a run leaves behind, and their columns. Writers and readers both take them from here."""

from typing import NamedTuple


class Response(NamedTuple):
    """One request of the client's ledger, answered or not: a row of `responses.csv`, whose header these names are."""

    sent_us: int  # since the Unix epoch
    latency_us: int  # from sending to the last byte of the answer, or to the fault
    host_tag: str  # who answered; empty when nobody did
    status: int  # of HTTP; 0 when there was no answer
    stage: str
    request_id: str
    error: str  # empty when the answer was what it should be


class Users(NamedTuple):
    """A change in the generator: a row of `generator.csv`, whose header these names are."""

    at_us: int  # since the Unix epoch
    stage: str  # empty between stages, while surplus users go
    users: int  # running from then on


class Resource(NamedTuple):
    """What one service used when it was looked at: a row of `resources.csv`, whose header these names are.

    Times and bytes of use are totals since the service started; a limit of 0 means that there is none.
    """

    at_us: int  # since the Unix epoch
    service: str
    container: str  # its id, shortened; on the local stack the number of the process
    state: str  # as the engine names it: running, restarting, exited, …
    health: str  # healthy, unhealthy, starting; empty where there is no health check
    started_us: int  # since the Unix epoch
    restarts: int  # by the engine, which starts again what ends by itself
    oom_events: int  # how often the engine said since sampling began that memory ran out, more than once for a kill
    oom_kills: int  # the kernel's count, since it started, of processes killed for that, children too; -1: not read
    cpu_us: int
    cpu_limit: float  # cores
    periods: int  # in which the container wanted to run, of 0.1 s each
    throttled_periods: int  # in which it had to wait because its part was used up
    throttled_us: int
    memory_bytes: int  # without file pages that can be dropped at any time
    memory_limit_bytes: int
    swap_limit_bytes: int  # besides memory; -1 when there is no limit
    pids_limit: int  # processes and threads
    received_bytes: int  # over the network; -1 where it is not known
    sent_bytes: int
    read_bytes: int  # from the disk
    written_bytes: int


RESPONSES = "responses.csv"
GENERATOR = "generator.csv"
RESOURCES = "resources.csv"
