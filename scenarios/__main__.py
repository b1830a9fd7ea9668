"""The command line behind the Makefile: `python -m scenarios list | run NAME | clean-reports | up | down | …`."""

import argparse
import sys
from pathlib import Path

from scenarios.cli.exit_codes import USAGE, ends_in_order
from scenarios.cli.numbers import whole_number
from scenarios.cli.signals import SignalHandlers
from scenarios.run.bench import bench
from scenarios.run.fault_matrix import fault_matrix
from scenarios.run.fingerprint import fingerprint
from scenarios.run.old_reports import remove_old
from scenarios.run.runner import Load, run
from scenarios.run.web import address_at, serve
from scenarios.spec.errors import UsageError
from scenarios.spec.scenario import MOST_REQUESTS, MOST_USERS, Scenario, names
from scenarios.stacks.local.stack import LocalStack
from scenarios.stacks.ports import LOOPBACK
from scenarios.stacks.registry import DEFAULT, STACKS, sentence
from scenarios.stacks.stack import PROJECT, Stack

WEB_PORT = 8089
NOT_RUNNING = 3  # as `systemctl status` and `service status` have it


def main() -> None:
    """Run a command; a refusal is one sentence on standard error and exit code 2."""
    SignalHandlers().install()
    with ends_in_order("scenarios", sentence):
        options = _parser().parse_args()
        sys.exit(options.command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenarios", description=__doc__)
    port_offset = whole_number("PORT_OFFSET", 0, 50_000)
    parser.add_argument("--port-offset", type=port_offset, default=0, help="add this to every port of the stack")
    parser.add_argument(
        "--stack", type=_stack_name, default=DEFAULT, help=f"{' or '.join(STACKS)}; {DEFAULT} by default"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    reporting = argparse.ArgumentParser(add_help=False)
    reporting.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    driving = argparse.ArgumentParser(add_help=False, parents=[reporting])
    processes = whole_number("PROCESSES", 1, 64)
    driving.add_argument("--processes", type=processes, default=1, help="share the users among this many processes")
    for name, command, text, add_options, parents in (
        ("run", _run, "run a scenario and judge it", _add_load, [driving]),
        ("web", _web, "offer every scenario in Locust's web interface", _add_web, [driving]),
        ("faults", _faults, "run every scenario with faults, and print what came of them", None, [reporting]),
        ("fingerprint", _fingerprint, "say which algorithm the balancer looks like", None, [reporting]),
        ("bench", _bench, "measure what a request costs each load generator", _add_bench, [reporting]),
        ("clean-reports", _clean_reports, "remove all but the newest reports of each scenario", _add_keep, [reporting]),
        ("list", _list, "list the scenarios with their claims", None, []),
        ("up", _up, "start the stack and leave it running", None, []),
        ("down", _down, "stop the stack", None, []),
        ("status", _status, "say what runs", None, []),
        ("logs", _logs, "show the last lines of every service", None, []),
    ):
        subparser = commands.add_parser(name, help=text, parents=parents)
        subparser.set_defaults(command=command)
        if add_options is not None:
            add_options(subparser)
    return parser


def _add_load(parser: argparse.ArgumentParser) -> None:
    requests, users = whole_number("REQUESTS", 1, MOST_REQUESTS), whole_number("USERS", 1, MOST_USERS)
    parser.add_argument("name", help="its name, for example baseline")
    parser.add_argument("--requests", type=requests, help="send this many instead of the scenario's number")
    parser.add_argument("--users", type=users, help="this many users at the peak instead of the scenario's number")
    parser.add_argument("--claim", help="weights to be judged by instead of the configuration's: back-01=1,back-02=2")


def _add_web(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", default="baseline", help="the one that is chosen at first; baseline")
    parser.add_argument("--web-host", default=LOOPBACK, help="the address to listen on; 127.0.0.1")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    requests, connections = whole_number("REQUESTS", 1000, 1_000_000), whole_number("CONNECTIONS", 1, 1000)
    parser.add_argument("--requests", type=requests, default=20_000, help="each sends this many; 20000")
    parser.add_argument("--connections", type=connections, default=100, help="over this many connections; 100")
    parser.add_argument("--rounds", type=whole_number("ROUNDS", 1, 100), default=5, help="each has so many turns; 5")


def _add_keep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", type=whole_number("KEEP", 1, 1_000_000), default=20, help="how many stay; 20")


def _stack_name(text: str) -> str:
    if text not in STACKS:
        raise UsageError(f"STACK is {text!r}, and should be {' or '.join(STACKS)}")
    return text


def _stack(options: argparse.Namespace) -> Stack:
    return STACKS[options.stack](options.port_offset)


def _run(options: argparse.Namespace) -> int:
    reports = options.reports.resolve()
    load = Load(options.requests, options.users, options.processes, options.claim)
    return run(Scenario.load(options.name), _stack(options), reports, load)


def _web(options: argparse.Namespace) -> int:
    address = address_at(options.web_host, WEB_PORT + options.port_offset)
    scenario, reports = Scenario.load(options.scenario), options.reports.resolve()
    return serve(scenario, _stack(options), reports, address, options.processes)


def _faults(options: argparse.Namespace) -> int:
    return fault_matrix(_stack(options), options.reports.resolve())


def _fingerprint(options: argparse.Namespace) -> int:
    return fingerprint(_stack(options), options.reports.resolve())


def _bench(options: argparse.Namespace) -> int:
    if options.stack != LocalStack.name:
        raise UsageError("clients are compared on the local stack: leave STACK out")
    stack = LocalStack(options.port_offset)
    return bench(stack, options.reports.resolve(), options.requests, options.connections, options.rounds)


def _clean_reports(options: argparse.Namespace) -> int:
    removed, size_bytes, code = 0, 0, 0
    for each in remove_old(options.reports.resolve(), options.keep):
        if each.fault:
            print(f"scenarios: {each.path}: {each.fault}", file=sys.stderr)
            code = USAGE
        else:
            print(f"removed {each.path}", flush=True)
            removed, size_bytes = removed + 1, size_bytes + each.size_bytes
    print(f"{removed:,} removed, {size_bytes / 2**20:,.0f} MiB")
    print(f"kept: the newest {options.keep:,} of each scenario, `latest`, and what changed in the last ten minutes")
    return code


def _list(_options: argparse.Namespace) -> int:
    scenarios = sorted(map(Scenario.load, names()), key=lambda scenario: scenario.requests)
    width = max(len(scenario.name) for scenario in scenarios)
    for scenario in scenarios:
        size = f"{scenario.requests:,} requests, {scenario.peak_users:,} users"
        print(f"{scenario.name:<{width}}  {size:<31}  {scenario.claim}")
    return 0


def _up(options: argparse.Namespace) -> int:
    stack = _stack(options)
    with stack.locked():
        print(f"{stack.name} stack {'is up' if stack.start() else 'is up already'}: {stack.url}")
    return 0


def _down(options: argparse.Namespace) -> int:
    stack = _stack(options)
    with stack.locked():
        print("stopped" if stack.stop() else "nothing was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    stack = _stack(options)
    for service in stack.states():
        print(f"{service.name:<8} {service.address:<16} {service.text}")
    return 0 if stack.is_up() else NOT_RUNNING


def _logs(options: argparse.Namespace) -> int:
    for name, lines in _stack(options).logs():
        print(f"== {name}\n{lines}")
    return 0


if __name__ == "__main__":
    main()
