"""Runs every scenario with faults, one after the other, and makes one matrix of the results."""

from pathlib import Path

from scenarios.formats.report_directory import ReportDirectory
from scenarios.run.analysis_process import analysed
from scenarios.run.runner import Load, run_each
from scenarios.spec.scenario import Scenario, names
from scenarios.stacks.stack import Stack

NAME = "faults"
MATRIX = "matrix.csv"


def fault_matrix(stack: Stack, reports: Path) -> int:
    """Run every scenario whose faults are possible on this stack, and write the matrix into a directory of `reports`.

    Returns the exit code of the worst verdict. Raises `UsageError` when a scenario cannot be run, and `Interrupted` on
    Ctrl-C; the matrix then has the runs that came before.
    """
    kinds = stack.fault_actions().kinds
    scenarios = [scenario for scenario in map(Scenario.load, names()) if scenario.faults]
    possible = [each for each in scenarios if kinds.issuperset(fault.kind for fault in each.faults)]
    for scenario in scenarios:
        if scenario not in possible:
            print(f"{scenario.name}: is not possible on the {stack.name} stack", flush=True)
    finished: list[ReportDirectory] = []
    try:
        run_each(possible, stack, reports, Load(), finished.append)
    except BaseException:
        if finished:
            _show(finished, reports)
        raise
    return _show(finished, reports)


def _show(directories: list[ReportDirectory], reports: Path) -> int:
    into = ReportDirectory.new(reports, NAME).path
    runs = (str(each.path) for each in directories)
    return analysed("analysis.tools.fault_matrix", str(into), *runs, result=into / MATRIX)
