"""What is broken on purpose, and which checks have to turn."""

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from scenarios.spec.target import Target
from scenarios.stacks.stack import PROJECT
from tests.builders.http import ask

CONF = PROJECT / "nginx" / "nginx.conf"
TAGS = ("back-01", "back-02", "back-03")
FAIL, INVALID = "FAIL", "INVALID"
SPLITS = [f"{kind} {tag}" for kind in ("split", "running split") for tag in TAGS]
LEDGERS = tuple(f"ledgers {tag}" for tag in TAGS)
SLOW = dict.fromkeys(TAGS, "slow")


def conf(*changes: tuple[str, str]) -> str:
    """The real configuration with these changes; each must find its place."""
    text = CONF.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Mutant:
    """One thing that is wrong: in the configuration, in a backend, during the run, or in what is left of it.

    `may` names checks that can turn, too, depending on when the fault strikes.
    """

    what: str
    must: dict[str, str]
    may: dict[str, str] = field(default_factory=dict)
    conf: str = field(default_factory=conf)
    faults: dict[str, str] = field(default_factory=dict)
    meanwhile: Callable | None = None  # given the stack, once the run is under way
    afterwards: Callable | None = None  # given the report directory
    scenario: str = "baseline"
    requests: int | None = 3000
    users: int | None = 60

    @property
    def name(self) -> str:
        return self.what.replace(" ", "-").replace("'", "")


def at_true_size(scenario):
    """Faults need their time."""
    return {"scenario": scenario, "requests": None, "users": None}


def all_of(names, outcome):
    return dict.fromkeys(names, outcome)


def splits(*stages):
    return [f"split in {stage}" for stage in stages]


def reload(stack):
    nginx(stack).send_signal(signal.SIGHUP)


def nginx(stack):
    return next(known.process for known in stack.processes() if known.name == "nginx")


def _ask(url):
    target = Target()
    ask(f"{url}{target.path}", target.content or None, target.method, target.content_headers)


def another_client(stack):
    for _ in range(5):
        _ask(stack.url)


def past_the_balancer(stack):
    _ask(stack.backends()["back-02"])


def drop_rows(directory):
    """As if the client had not written them: the end mark vouches for what is left."""
    lines = directory.responses_path.read_text().splitlines(keepends=True)
    directory.responses_path.write_text("".join(lines[:-7]))
    directory.add_to_end_mark(directory.responses_path)


WEIGHT_2, WEIGHT_3 = "back-02:8002 weight=2", "back-03:8003 weight=3"
ZONE = "zone models 256k;"

MUTANTS = (
    Mutant("nothing is wrong", {}),
    Mutant(
        "a weight is one too high",
        all_of(SPLITS, FAIL),
        conf=conf((WEIGHT_2, "back-02:8002 weight=3")),
    ),
    Mutant(
        "two weights are swapped",
        all_of((f"{kind} {tag}" for kind in ("split", "running split") for tag in ("back-02", "back-03")), FAIL),
        conf=conf((WEIGHT_2, "back-02:8002 weight=3"), (WEIGHT_3, "back-03:8003 weight=2")),
    ),
    Mutant(
        "workers share no zone",
        {"running split back-01": FAIL},
        may=all_of(SPLITS, FAIL),
        conf=conf((ZONE, ""), (" resolve;", ";"), ("backlog=16384;", "backlog=16384 reuseport;")),
        faults=SLOW,
        requests=1500,
        users=12,  # few enough for the log to tell most picks apart, enough for each worker to have some
    ),
    Mutant(
        "picks are random",
        {"running split back-03": FAIL},
        may=all_of(SPLITS, FAIL),
        conf=conf((ZONE, f"{ZONE} random;")),
    ),
    Mutant(
        "picks are the better of two",
        {"running split back-03": FAIL},
        may=all_of(SPLITS, FAIL),
        conf=conf((ZONE, f"{ZONE} random two least_conn;")),
    ),
    Mutant("picks go by address", all_of(SPLITS, FAIL), conf=conf((ZONE, f"{ZONE} ip_hash;"))),
    Mutant(
        "picks go by connections and a backend is slow",
        all_of(SPLITS, FAIL),
        conf=conf((ZONE, f"{ZONE} least_conn;")),
        faults={"back-03": "slow"},
    ),
    Mutant("a backend is down", all_of(SPLITS, FAIL), conf=conf((WEIGHT_2, f"{WEIGHT_2} down"))),
    Mutant("a backend says 503 now and then", {"errors": FAIL}, faults={"back-02": "unavailable"}),
    Mutant(
        "POSTs are tried again and processed twice",
        {"retried": INVALID, "processed twice": FAIL, "ledgers back-02": FAIL} | all_of(SPLITS, INVALID),
        conf=conf(("proxy_next_upstream error timeout;", "proxy_next_upstream error timeout non_idempotent;")),
        faults={"back-02": "unanswered"},
    ),
    Mutant(
        "a backend has another's name",
        {"identity": FAIL, "uncounted": FAIL, "unasked": INVALID, "ledgers back-01": FAIL, "ledgers back-02": INVALID}
        | all_of((f"{kind} {tag}" for kind in ("split", "running split") for tag in TAGS[:2]), FAIL),
        faults={"back-02": "misnamed"},
    ),
    Mutant(
        "a backend has no name",
        {"errors": FAIL, "identity": FAIL, "unasked": INVALID, "ledgers back-02": INVALID} | all_of(SPLITS, INVALID),
        faults={"back-02": "nameless"},
    ),
    Mutant(
        "a backend answers and does not count",
        {"uncounted": FAIL, "ledgers back-02": FAIL},
        faults={"back-02": "uncounted"},
    ),
    Mutant(
        "a backend counts and does not answer",
        {"errors": FAIL, "failed attempt": INVALID, "lost in flight": FAIL, "ledgers back-02": FAIL}
        | all_of(SPLITS, INVALID),
        faults={"back-02": "unanswered"},
    ),
    Mutant(
        "bodies are cut off",
        {"errors": FAIL, "altered": FAIL, "ledgers back-02": FAIL} | all_of(SPLITS, INVALID),
        faults={"back-02": "truncated"},
    ),
    Mutant(
        "the balancer is reloaded",
        {"balancer": INVALID} | all_of(SPLITS, INVALID),
        may=all_of(("errors", "refused"), FAIL),  # a request on its way over a connection that the old worker closes
        meanwhile=reload,
    ),
    Mutant(
        "a reload closes idle connections at once",
        {"errors": FAIL, "refused": FAIL},
        may=all_of(("lost by reload-nginx",), FAIL) | all_of(splits("healthy", "reloading", "reloaded"), INVALID),
        conf=conf(("    keepalive_min_timeout 5s;\n", "")),
        **at_true_size("reload"),
    ),
    Mutant(
        "a request that met a dead backend is not sent elsewhere",
        {"errors": FAIL, "failed attempt": INVALID} | all_of(splits("healthy", "without", "healed"), INVALID),
        conf=conf(("proxy_next_upstream error timeout;", "proxy_next_upstream off;")),
        **at_true_size("failover"),
    ),
    Mutant(
        "a dead backend is asked as often as a living one",
        {f"{check} kill back-02": INVALID for check in ("noticed", "left alone", "returned")}
        | all_of(splits("healthy", "without", "healed"), INVALID),
        conf=conf(("max_fails=1", "max_fails=0")),
        **at_true_size("failover"),
    ),
    Mutant(
        "a backend ends at once when it is told to stop",
        {"lost by stop back-02": FAIL},
        faults={"back-02": "abrupt"},
        **at_true_size("graceful-stop"),
    ),
    Mutant(
        "POSTs that were answered with 503 are sent again",
        {"sent twice": FAIL, "undetected fail back-02": FAIL, "retried": INVALID}
        | all_of(splits("healthy", "onset", "failing", "recovery", "healed"), INVALID),
        conf=conf(("proxy_next_upstream error timeout;", "proxy_next_upstream error http_503 non_idempotent;")),
        **at_true_size("brown-out"),
    ),
    Mutant(
        "somebody else uses the balancer",
        {"foreign traffic": INVALID} | all_of(SPLITS, INVALID),
        may=all_of(LEDGERS, INVALID),
        meanwhile=another_client,
    ),
    Mutant(
        "somebody else uses a backend", {"unasked": INVALID, "ledgers back-02": INVALID}, meanwhile=past_the_balancer
    ),
    Mutant(
        "the client drops rows",
        {"requests": INVALID, "unrecorded": INVALID} | all_of(SPLITS, INVALID),
        may=all_of(LEDGERS, INVALID),
        afterwards=drop_rows,
    ),
)
