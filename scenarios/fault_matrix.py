"""Every scenario with faults, one after the other, and one matrix of what came of them."""

import subprocess
import sys
from pathlib import Path

from scenarios.definition import Scenario, names
from scenarios.report_directory import ReportDirectory
from scenarios.runner import Load, run_each
from scenarios.stacks.stack import PROJECT, Stack

NAME = "faults"


def fault_matrix(stack: Stack, reports: Path) -> int:
    """Run every scenario whose faults are possible on this stack, and keep the matrix under `reports`.

    Returns the exit code of the worst. Raises `UsageError` when one cannot be run, `Interrupted` on Ctrl-C; the matrix
    is then of those that came before.
    """
    kinds = stack.breaker().kinds
    scenarios = [scenario for scenario in map(Scenario.load, names()) if scenario.faults]
    possible = [each for each in scenarios if kinds.issuperset(fault.what for fault in each.faults)]
    for scenario in scenarios:
        if scenario not in possible:
            print(f"{scenario.name}: is not possible on the {stack.name} stack", flush=True)
    judged: list[ReportDirectory] = []
    try:
        run_each(possible, stack, reports, Load(), judged.append)
    except BaseException:
        if judged:
            _show(judged, reports)
        raise
    return _show(judged, reports)


def _show(directories: list[ReportDirectory], reports: Path) -> int:
    into = ReportDirectory.new(reports, NAME).path
    command = [sys.executable, "-m", "analysis.matrix", str(into), *(str(each.path) for each in directories)]
    return subprocess.run(command, cwd=PROJECT, check=False).returncode
