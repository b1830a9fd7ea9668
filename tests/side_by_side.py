"""The tests in lanes: first what needs no stack, then the lanes with stacks, and at last those that want to be alone.

While containers wait, processes have the machine. What comes out of a test marked `alone` depends on how busy that is.
`python -m tests.side_by_side` leaves out what is marked `full`, `--full` does not. Each line of output names its lane,
and the exit code is that of the worst lane.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack

from tests.builders.free_ports import PLACE
from tests.builders.processes import running

WITHOUT_STACK = ("tests/unit", "tests/integration")
LANES = {
    "containers": ("tests/compose",),
    "processes": ("tests/system",),
    "pages": ("tests/browser", "tests/mutants"),
}
LANE_ENDS_WITHIN_S = 3000.0
INTERRUPTED_LANE_ENDS_WITHIN_S = 90.0  # a stack of containers has to go
LINES_END_WITHIN_S = 10.0  # after their lane


def steps(*, full):
    """What runs one after the other: each step has lanes, by their names, and what pytest is told in each."""
    rest = "" if full else " and not full"
    every = [*WITHOUT_STACK, *(path for paths in LANES.values() for path in paths)]
    examples = ("--hypothesis-profile", "every" if full else "few")
    yield {"memory": ("-m", f"not alone{rest}", *examples, "--numprocesses", "2", *WITHOUT_STACK)}
    yield {lane: ("-m", f"not alone{rest}", *paths) for lane, paths in LANES.items()}
    yield {"alone": ("-m", f"alone{rest}", *every)}


def code_of(steps):
    """The exit code of the worst lane of these steps; when it is interrupted, that of an interruption."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # a script that starts this with `&` has SIGINT ignored
    try:
        return max(code for step in steps for code in together(step))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def together(lanes):
    """Run these lanes side by side, each a name and what pytest is told. Returns their exit codes."""
    with ExitStack() as stack:
        runs = {name: stack.enter_context(begun(place, told)) for place, (name, told) in enumerate(lanes.items())}
        tellers = [threading.Thread(target=tell, args=(name, run.stdout)) for name, run in runs.items()]
        for teller in tellers:
            teller.start()
        try:
            return [run.wait(LANE_ENDS_WITHIN_S) for run in runs.values()]
        except BaseException:
            interrupt(runs.values())
            raise
        finally:
            for teller in tellers:
                teller.join(LINES_END_WITHIN_S)


def begun(place, arguments):
    """A pytest of its own, which looks for ports where no other looks."""
    return running(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        env=os.environ | {PLACE: str(place), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def interrupt(runs):
    """End all lanes at the same time: each ends what its test has started."""
    for run in runs:
        run.send_signal(signal.SIGINT)
    for run in runs:
        run.wait(INTERRUPTED_LANE_ENDS_WITHIN_S)


def tell(name, lines):
    for line in lines:
        print(f"{name:<10} | {line}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(code_of(steps(full="--full" in sys.argv)))
