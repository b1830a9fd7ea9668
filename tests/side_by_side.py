"""Every test with a stack, in two halves side by side: while containers wait, processes have the machine.

`python -m tests.side_by_side` says which half each line is of, and ends with the exit code of the worse one.
"""

import os
import subprocess
import sys
import threading

from tests.free_ports import PLACE

HALVES = {"containers": ("tests/compose", "tests/mutants"), "processes": ("tests/browser", "tests/system")}


def main():
    runs = {name: started(place, paths) for place, (name, paths) in enumerate(HALVES.items())}
    tellers = [threading.Thread(target=tell, args=(name, run.stdout)) for name, run in runs.items()]
    for teller in tellers:
        teller.start()
    try:
        codes = [run.wait() for run in runs.values()]
    except KeyboardInterrupt:  # they have heard it, too
        codes = [run.wait() for run in runs.values()]
    for teller in tellers:
        teller.join()
    sys.exit(max(codes))


def started(place, paths):
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *paths],
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
