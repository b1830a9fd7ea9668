"""The project's options on Locust's command line, and the manifest that records what they ask for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner

from scenarios.formats.report_directory import Host, Manifest, ReportDirectory, git_commit, versions
from scenarios.spec.claim import Claim
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import Scenario
from scenarios.spec.target import Target

PROJECT = Path(__file__).parents[2]
CLIENT = "locustfiles.generator.transport.connection: gevent sockets, llhttp of httptools"


def declare(parser: LocustArgumentParser, **_: Any) -> None:
    """Add the project's options to Locust's. The web interface is open to this machine alone by default."""
    parser.set_defaults(web_host="127.0.0.1")
    # The default is 0 and not None: Locust's web form gives a value the type of its default
    parser.add_argument("--scale-requests", type=int, default=0, help="send this many; 0 for the scenario's number")
    parser.add_argument("--scale-users", type=int, default=0, help="users at the peak; 0 for the scenario's number")
    parser.add_argument(
        "--claim",
        default=str(PROJECT / "nginx" / "nginx.conf"),
        help="the split to expect: an nginx configuration, or back-01=1,back-02=2 (default: nginx/nginx.conf)",
        include_in_web_ui=False,
    )
    _declare_surroundings(parser)
    _declare_places(parser)


def _declare_surroundings(parser: LocustArgumentParser) -> None:
    parser.add_argument(
        "--stack",
        env_var="LOCUST_STACK",
        default="external",
        help="name of the stack, for the manifest only",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--web-parent",
        action="store_true",
        help="the process that started Locust keeps the evidence of each run, and talks over standard input and output",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--with-faults",
        action="store_true",
        help="the process that started Locust injects the faults of the scenario",
        include_in_web_ui=False,
    )


def _declare_places(parser: LocustArgumentParser) -> None:
    parser.add_argument(
        "--report-directory",
        type=str,  # and not Path: Locust sends all options to its workers, in a format without paths
        help="where to keep the evidence of one run (default: a new directory under --reports)",
        include_in_web_ui=False,
    )
    parser.add_argument(
        "--reports",
        default=str(PROJECT / "reports"),
        help="where to make a new directory for each run (default: reports)",
        include_in_web_ui=False,
    )


def scaled(environment: Environment, scenario: Scenario) -> Scenario:
    """The scenario, scaled as the options ask. Raises `UsageError` when scaling breaks a rule of the scenario."""
    options: Any = environment.parsed_options
    return scenario.scaled(options.scale_requests or None, options.scale_users or None)


def target_of(environment: Environment, scenario: Scenario) -> Target:
    """What is to be asked, and where. Raises `UsageError` when that is no address."""
    return scenario.target.at(environment.host or environment.user_classes[0].host or "")


def manifest(environment: Environment, scenario: Scenario) -> Manifest:
    """The description of a run that begins now. Raises `UsageError` when the options contradict each other."""
    options: Any = environment.parsed_options
    runner = environment.runner
    as_asked = scaled(environment, scenario)
    if scenario.faults and not (options.web_parent or options.with_faults):
        raise UsageError(
            f"{scenario.name}: Locust by itself cannot bring its faults about: "
            f"`make scenario-{scenario.name}` and `make web` can, on a stack of theirs"
        )
    return Manifest(
        scenario=as_asked.model_copy(update={"target": target_of(environment, as_asked)}),
        scaled=as_asked != scenario,
        claim=Claim.of(options.claim),
        stack=options.stack,
        client=CLIENT,
        processes=len(runner.clients.ready) if isinstance(runner, MasterRunner) else 1,
        git_commit=git_commit(),
        versions=versions(),
        host=Host.here(),
        generator_started_at=datetime.fromtimestamp(psutil.Process().create_time(), UTC),
        started_at=datetime.now(UTC),
    )


def report_directory(environment: Environment, scenario: Scenario) -> ReportDirectory:
    """The directory that the options name, or else a new one. Raises `UsageError` when it holds a run already."""
    options: Any = environment.parsed_options
    if options.report_directory is None:
        return ReportDirectory.new(Path(options.reports), scenario.name)
    directory = ReportDirectory(Path(options.report_directory))
    if directory.manifest_path.exists():
        raise UsageError(f"{directory.path}: holds a run already, and nothing is overwritten: name another directory")
    directory.path.mkdir(parents=True, exist_ok=True)
    return directory
