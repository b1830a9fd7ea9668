"""Runs an analysis in a process of its own, as `make report` does, and returns its exit code."""

import subprocess
import sys
from pathlib import Path

from scenarios.cli.exit_codes import CRASH, VERDICTS
from scenarios.stacks.stack import PROJECT


def analysed(module: str, *arguments: str, result: Path) -> int:
    """Run an analysis, which writes `result` and prints what it found. Returns its exit code.

    A process that a signal killed has crashed, and so has one that ends with the code of a verdict and leaves no
    result: then the code is `CRASH`. There is no deadline, because the time grows with the run: Ctrl-C ends it.
    """
    code = subprocess.run([sys.executable, "-m", module, *arguments], cwd=PROJECT, check=False).returncode
    return CRASH if code < 0 or (code in VERDICTS and not result.exists()) else code
