"""The commands that repeat a run."""

import shlex
from collections.abc import Iterator

from scenarios.formats.report_directory import Manifest

CHANGED = "+changes"  # the suffix of `git_commit` for uncommitted changes
MAKE_STACKS = ("local", "compose")
CLAIM_OPTION = "--claim"  # the source of a claim from the command line


def commands(manifest: Manifest, run: str) -> list[str]:
    """The commands to type in a checkout of the project, one per line."""
    again = _make(manifest) if manifest.stack in MAKE_STACKS else _locust(manifest)
    return [*_checkout(manifest), shlex.join(again), shlex.join(["make", "report", f"RUN={run}"])]


def caveat(manifest: Manifest) -> str:
    """What those commands cannot restore; empty if they restore everything."""
    if manifest.git_commit is None:
        return "The commit is not known: the run did not start in a checkout."
    if manifest.git_commit.endswith(CHANGED):
        return "The checkout differed from that commit during the run; the report does not hold the differences."
    return ""


def _checkout(manifest: Manifest) -> Iterator[str]:
    if manifest.git_commit is not None:
        yield shlex.join(["git", "checkout", manifest.git_commit.removesuffix(CHANGED)])


def _make(manifest: Manifest) -> Iterator[str]:
    scenario = manifest.scenario
    yield from ("make", f"scenario-{scenario.name}", f"STACK={manifest.stack}")
    if manifest.scaled:
        yield from (f"REQUESTS={scenario.requests}", f"USERS={scenario.peak_users}")
    if manifest.processes > 1:
        yield f"PROCESSES={manifest.processes}"
    if manifest.claim.source == CLAIM_OPTION:
        yield f"CLAIM={manifest.claim.text}"


def _locust(manifest: Manifest) -> Iterator[str]:
    """The Locust command, for a balancer that the project did not start."""
    scenario = manifest.scenario
    yield from (".venv/bin/locust", "-f", f"locustfiles/{scenario.name.replace('-', '_')}.py", "--headless")
    yield from ("--host", str(manifest.target.url))
    is_option = manifest.claim.source == CLAIM_OPTION
    yield from ("--claim", manifest.claim.text if is_option else f"path/to/{manifest.claim.source}")
    if manifest.scaled:
        yield from ("--scale-requests", str(scenario.requests), "--scale-users", str(scenario.peak_users))
    if manifest.processes > 1:
        yield from ("--processes", str(manifest.processes))
