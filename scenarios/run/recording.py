"""Records everything about a run that the generator does not write itself: claim, resources, logs, counters, faults."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from scenarios.formats.report_directory import ReportDirectory
from scenarios.run.fault_injector import errors_reported, faults_injected
from scenarios.run.recorders import other_ledgers_recorded
from scenarios.spec.claim import Claim
from scenarios.spec.nginx.balancer import NGINX
from scenarios.spec.scenario import Scenario
from scenarios.stacks.sampling import resources_sampled
from scenarios.stacks.stack import Stack


@contextmanager
def recording(
    stack: Stack, directory: ReportDirectory, scenario: Scenario, *, by_configuration: bool
) -> Iterator[None]:
    """Record the run that the body drives, and inject its faults. If no run begins, the directory is removed.

    First it reloads the balancer. After any earlier failure nginx goes on in another cycle, which may be less even
    between two moments; a report should not depend on what came before its run.

    Raises `UsageError` when the balancer's log would not say which backend answered, or when the run is to be judged
    by the configuration, and that claims nothing.
    """
    try:
        directory.conf_path.write_text(stack.balancer_conf(), encoding="utf-8")
        NGINX.configuration(directory.conf_path).require_ledger(scenario.target.identity)
        if by_configuration:
            Claim.of_configuration(directory.conf_path)  # else Locust would refuse it, in more words
        with errors_reported("the balancer could not begin its cycle anew"):
            stack.fault_actions().reload_balancer()
        with (
            other_ledgers_recorded(stack, directory, scenario.target),
            resources_sampled(stack.meter(), directory.resources_path),
            faults_injected(stack, directory, scenario.faults),
        ):
            yield
    finally:
        if directory.manifest_path.exists():
            directory.add_to_end_mark(directory.resources_path, *([directory.faults_path] if scenario.faults else []))
        else:
            shutil.rmtree(directory.path)
