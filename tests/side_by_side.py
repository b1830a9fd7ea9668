"""Every test with a stack: most in two halves side by side, and then, one by one, those that want the machine alone.

While containers wait, processes have the machine. What comes out of a test marked `alone` depends on how busy that is.
`python -m tests.side_by_side` says which of them each line is of, and ends with the exit code of the worst.
"""

import os
import subprocess
import sys
import threading

from tests.free_ports import PLACE

HALVES = {"containers": ("tests/compose", "tests/mutants"), "processes": ("tests/browser", "tests/system")}


def main():
    try:
        codes = together({name: ("-m", "not alone", *paths) for name, paths in HALVES.items()})
        codes += together({"alone": ("-m", "alone", *(path for paths in HALVES.values() for path in paths))})
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(max(codes))


def together(parts):
    """Run these parts side by side, each a name and what pytest is told. Their exit codes."""
    runs = {name: started(place, arguments) for place, (name, arguments) in enumerate(parts.items())}
    tellers = [threading.Thread(target=tell, args=(name, run.stdout)) for name, run in runs.items()]
    for teller in tellers:
        teller.start()
    try:
        codes = [run.wait() for run in runs.values()]
    finally:  # of an interruption they have heard, too
        for teller in tellers:
            teller.join()
    return codes


def started(place, arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        env=os.environ | {PLACE: str(place), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def tell(name, lines):
    for line in lines:
        print(f"{name:<10} | {line}", end="", flush=True)


if __name__ == "__main__":
    main()
