"""What can be asked of a run on Locust's command line, and the manifest that says what was."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner

from scenarios.claim import Claim
from scenarios.definition import Scenario
from scenarios.report_directory import Host, Manifest, ReportDirectory, git_commit, versions

PROJECT = Path(__file__).parent.parent


def declare(parser: LocustArgumentParser, **_: Any) -> None:
    """Add the project's options to Locust's."""
    parser.add_argument("--scale-requests", type=int, help="send this many instead of the scenario's number")
    parser.add_argument("--scale-users", type=int, help="this many users at the peak instead of the scenario's number")
    parser.add_argument(
        "--claim",
        default=str(PROJECT / "nginx" / "nginx.conf"),
        help="the split to expect: an nginx configuration, or back-01=1,back-02=2 (default: nginx/nginx.conf)",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--stack",
        default="external",
        help="name of the stack, for the manifest only",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--report-directory",
        type=Path,
        help="where to keep the evidence (default: a new directory under reports/)",
        include_in_web_ui=False,
    )


def scaled(environment: Environment, scenario: Scenario) -> Scenario:
    """The scenario as asked for. Raises `UsageError` when scaling breaks a rule of it."""
    options: Any = environment.parsed_options
    return scenario.scaled(options.scale_requests, options.scale_users)


def manifest(environment: Environment, scenario: Scenario) -> Manifest:
    """The description of a run that begins now. Raises `UsageError` when the scenario or the claim make no sense."""
    options: Any = environment.parsed_options
    runner = environment.runner
    as_asked = scaled(environment, scenario)
    return Manifest(
        scenario=as_asked,
        scaled=as_asked != scenario,
        claim=Claim.of(options.claim),
        stack=options.stack,
        target=environment.host or environment.user_classes[0].host or "",
        client="FastHttpUser",
        processes=len(runner.clients.ready) if isinstance(runner, MasterRunner) else 1,
        git_commit=git_commit(),
        versions=versions(),
        host=Host.here(),
        started_at=datetime.now(UTC),
    )


def report_directory(environment: Environment, scenario: Scenario) -> ReportDirectory:
    """The directory asked for, or, when none was or it has served a run already, a new one."""
    options: Any = environment.parsed_options
    if options.report_directory is not None:
        directory = ReportDirectory(options.report_directory)
        if not directory.manifest_path.exists():
            directory.path.mkdir(parents=True, exist_ok=True)
            return directory
    return ReportDirectory.new(PROJECT / "reports", scenario.name)
