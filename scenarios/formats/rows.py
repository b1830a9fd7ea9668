"""The files that a run leaves behind, and their columns. Writers and readers both take them from here."""

from typing import NamedTuple


class Response(NamedTuple):
    """One request of the client's ledger, answered or not: a row of `responses.csv`, whose header these names are."""

    sent_us: int  # since the Unix epoch
    latency_us: int  # from the user's turn until the answer's last byte arrived, or to the fault; connecting included
    connect_us: int  # of these, for connecting; 0 when the user's connection was there already
    late_us: int  # not of these: from the answer's arrival until this process got round to it
    host_tag: str  # who answered; empty when nobody did
    status: int  # of HTTP; 0 when there was no answer
    stage: str
    request_id: str
    error: str  # empty when the answer was what it should be


class GeneratorSample(NamedTuple):
    """How a process of the generator was at one moment: a row of `generator.csv`, whose header these names are.

    The moments are `SAMPLE_EVERY_S` apart. One that came late stands for those that should have been meanwhile, too.
    """

    at_us: int  # since the Unix epoch, by the clock of its machine
    process: str  # the first half of its request ids
    stage: str
    users: int
    connections: int  # open
    connects: int  # opened in this run so far
    waiting: int  # users that wait for their turn
    in_flight: int  # requests sent, or about to be, and not answered yet
    lag_us: int  # how late this moment came, because the event loop was busy
    cpu_us: int  # used since the process started
    memory_bytes: int  # resident


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


class Balanced(NamedTuple):
    """One request as the balancer logged it: a row of `balancer.csv`, in the order in which the balancer writes it.

    Where several backends were tried, `upstream_` values list every attempt. How, a balancer's `Notation` says.
    """

    ended_s: float  # since the Unix epoch
    worker: int  # the number of its process
    connection: int
    connection_requests: int
    request_id: str  # the client's where it sent one
    method: str
    path: str
    status: int
    completion: str  # OK, or empty
    body_bytes: int  # sent to the client
    duration_s: float  # from the first byte that was read to the last that was sent, to the millisecond
    upstream_addresses: str
    upstream_statuses: str
    upstream_connect_s: str
    upstream_header_s: str
    upstream_response_s: str
    upstream_received_bytes: str
    host_tag: str  # of the backend that answered


class Processed(NamedTuple):
    """What a backend said of its work at one moment: a row of `backends.csv`, whose header these names are."""

    moment: str  # BEFORE or AFTER
    service: str  # the backend that the configuration means
    host_tag: str  # the one that answered in its place
    started_us: int  # when its process began to count, since the Unix epoch
    created: int  # since then
    rejected: int


def balanced_of(row: list[str]) -> Balanced:
    """A row of the balancer's log, as it was written."""
    return Balanced(*(kind(text) for kind, text in zip(Balanced.__annotations__.values(), row, strict=True)))


class Probed(NamedTuple):
    """One request of a fingerprint: a row of `probe.csv`, whose header these names are. Sent in order of `number`."""

    phase: str
    number: int  # within its phase, from 0
    source: str  # the address that it was sent from
    host_tag: str  # who answered; empty when nobody did
    status: int  # of HTTP; 0 when there was no answer
    request_id: str
    sent_us: int  # since the Unix epoch, when connecting began
    latency_us: int  # until the answer's last byte was read, or to the fault; connecting included
    pid: int  # of the balancer's worker; 0 when its log does not know the request
    attempts: int  # backends that the balancer asked; every one of them is a pick


class AppliedFault(NamedTuple):
    """A fault that was applied: a row of `faults.csv`, whose header these names are, in the order of time."""

    number: int  # of the fault in the scenario, from 1
    kind: str
    backend: str  # empty when it is done to nginx
    stage: str  # which was under way
    began_us: int  # since the Unix epoch
    ended_us: int  # when it was done; a backend that is to be well again answers its health check by then
    detail: str  # what was seen of it
    failure: str  # why it could not be done; empty when it was


class BenchRow(NamedTuple):
    """What it cost a client to send its requests once: a row of `bench.csv`, whose header these names are."""

    client: str
    round: int
    requests: int
    cpu_s: float
    small_requests: int  # the same command for few requests, which shows what starting up costs
    small_cpu_s: float
    seconds: float  # between the first and the last answer, by the balancer's clock
    client_p50_ms: float  # as the client measured it, or says that it did
    client_p99_ms: float
    balancer_p50_ms: float
    balancer_p99_ms: float
    memory_peak_bytes: int


SAMPLE_EVERY_S = 0.05
OWN_FAULT = "GeneratorFault"  # the first word of an error for a reason on the generator's side; a colon follows

BEFORE, AFTER = "before", "after"  # the run

RESPONSES = "responses.csv"
GENERATOR = "generator.csv"
RESOURCES = "resources.csv"
BALANCER = "balancer.csv"
BACKENDS = "backends.csv"
FAULTS = "faults.csv"
BENCH = "bench.csv"
PROBE = "probe.csv"
