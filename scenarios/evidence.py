"""Everything about a run that is not the generator's to write: what is claimed, used, logged and counted meanwhile."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from scenarios.claim import Claim
from scenarios.definition import Scenario
from scenarios.report_directory import ReportDirectory
from scenarios.stacks.sampling import sampled
from scenarios.stacks.stack import Stack
from scenarios.striker import complained, struck
from scenarios.witnesses import witnessed


@contextmanager
def evidence(stack: Stack, directory: ReportDirectory, scenario: Scenario, *, by_configuration: bool) -> Iterator[None]:
    """Keep it beside the ledgers of the run that the body drives, and bring its faults about. No run, no directory.

    The balancer begins its cycle anew: after a failure, whenever that was, it goes on in another one, which may be less
    even between two moments. What is said of a run should not depend on what came before it.

    Raises `UsageError` when the run is to be judged by the configuration, and that claims nothing.
    """
    try:
        directory.conf_path.write_text(stack.claimed_conf(), encoding="utf-8")
        if by_configuration:
            Claim.of_nginx(directory.conf_path)  # or Locust would refuse it, in more words
        with complained("the balancer could not begin its cycle anew"):
            stack.breaker().renew()
        with (
            witnessed(stack, directory),
            sampled(stack.meter(), directory.resources_path),
            struck(stack, directory, scenario.faults),
        ):
            yield
    finally:
        if directory.manifest_path.exists():
            directory.vouch_for(directory.resources_path, *([directory.faults_path] if scenario.faults else []))
        else:
            shutil.rmtree(directory.path)
