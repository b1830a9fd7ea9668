"""How to run it again: the commands, as they are typed."""

import shlex
from collections.abc import Iterator

from scenarios.report_directory import Manifest

CHANGED = "+changes"  # what `git_commit` adds
OF_MAKE = ("local", "compose")
OF_THE_CALLER = "--claim"  # the source of a claim that was given by hand


def commands(manifest: Manifest, run: str) -> list[str]:
    """What to type in a checkout of the project, one command a line."""
    again = _make(manifest) if manifest.stack in OF_MAKE else _locust(manifest)
    return [*_checkout(manifest), shlex.join(again), shlex.join(["make", "report", f"RUN={run}"])]


def caveat(manifest: Manifest) -> str:
    """What those commands cannot bring back; empty when nothing."""
    if manifest.git_commit is None:
        return "The commit is not known: the run was started outside a checkout."
    if manifest.git_commit.endswith(CHANGED):
        return "Files differed from that commit when it ran; the differences were not kept."
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
    if manifest.claim.source == OF_THE_CALLER:
        yield f"CLAIM={manifest.claim.text}"


def _locust(manifest: Manifest) -> Iterator[str]:
    """Plain Locust, for a balancer that is not the project's own."""
    scenario = manifest.scenario
    yield from (".venv/bin/locust", "-f", f"locustfiles/{scenario.name.replace('-', '_')}.py", "--headless")
    yield from ("--host", manifest.target)
    by_hand = manifest.claim.source == OF_THE_CALLER
    yield from ("--claim", manifest.claim.text if by_hand else f"path/to/{manifest.claim.source}")
    if manifest.scaled:
        yield from ("--scale-requests", str(scenario.requests), "--scale-users", str(scenario.peak_users))
    if manifest.processes > 1:
        yield from ("--processes", str(manifest.processes))
