"""The command line behind the Makefile: `python -m scenarios list | run NAME | clean-reports | up | down | …`."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from scenarios.complaints import COMPLAINTS, sentence
from scenarios.definition import MOST_REQUESTS, MOST_USERS, Scenario, names
from scenarios.errors import UsageError
from scenarios.fault_matrix import fault_matrix
from scenarios.fingerprint import fingerprint
from scenarios.interruption import Interrupted, Interrupter
from scenarios.old_reports import remove_old
from scenarios.runner import Load, run
from scenarios.stacks.compose import ComposeStack
from scenarios.stacks.local import LocalStack
from scenarios.stacks.ports import LOOPBACK
from scenarios.stacks.stack import PROJECT, Stack
from scenarios.web import serve, site_at
from scenarios.whole_number import whole_number

USAGE = 2
WEB_PORT = 8089
NOT_RUNNING = 3  # as `systemctl status` and `service status` have it
STACKS: dict[str, Callable[[int], Stack]] = {"local": LocalStack, "compose": ComposeStack}


def main() -> None:
    """Do what was asked; a refusal is one sentence on standard error and exit code 2."""
    Interrupter().install()
    try:
        options = _parser().parse_args()
        code = options.command(options)
    except Interrupted as interrupted:
        print("scenarios: interrupted", file=sys.stderr)
        code = interrupted.exit_code
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except COMPLAINTS as fault:
        print(f"scenarios: {sentence(fault)}", file=sys.stderr)
        code = USAGE
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenarios", description=__doc__)
    port_offset = whole_number("PORT_OFFSET", 0, 50_000)
    parser.add_argument("--port-offset", type=port_offset, default=0, help="add this to every port of the stack")
    parser.add_argument("--stack", type=_stack_name, default="local", help="local (the default) or compose")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="run a scenario and judge it")
    running.add_argument("name", help="its name, for example baseline")
    requests, users = whole_number("REQUESTS", 1, MOST_REQUESTS), whole_number("USERS", 1, MOST_USERS)
    running.add_argument("--requests", type=requests, help="send this many instead of the scenario's number")
    running.add_argument("--users", type=users, help="this many users at the peak instead of the scenario's number")
    processes = whole_number("PROCESSES", 1, 64)
    running.add_argument("--processes", type=processes, default=1, help="share the users among this many processes")
    running.add_argument("--claim", help="weights to be judged by instead of the configuration's: back-01=1,back-02=2")
    running.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    running.set_defaults(command=_run)
    serving = commands.add_parser("web", help="offer every scenario in Locust's web interface")
    serving.add_argument("--scenario", default="baseline", help="the one that is chosen at first; baseline")
    serving.add_argument("--processes", type=processes, default=1, help="share the users among this many processes")
    serving.add_argument("--web-host", default=LOOPBACK, help="the address to listen on; 127.0.0.1")
    serving.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    serving.set_defaults(command=_web)
    breaking = commands.add_parser("faults", help="run every scenario with faults, and print what came of them")
    breaking.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    breaking.set_defaults(command=_faults)
    taking = commands.add_parser("fingerprint", help="say which algorithm the balancer looks like")
    taking.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    taking.set_defaults(command=_fingerprint)
    cleaning = commands.add_parser("clean-reports", help="remove all but the newest reports of each scenario")
    cleaning.add_argument("--keep", type=whole_number("KEEP", 1, 1_000_000), default=20, help="how many stay; 20")
    cleaning.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    cleaning.set_defaults(command=_clean_reports)
    for name, command, text in (
        ("list", _list, "list the scenarios with their claims"),
        ("up", _up, "start the stack and leave it running"),
        ("down", _down, "stop the stack"),
        ("status", _status, "say what runs"),
        ("logs", _logs, "show the last lines of every service"),
    ):
        commands.add_parser(name, help=text).set_defaults(command=command)
    return parser


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
    site = site_at(options.web_host, WEB_PORT + options.port_offset)
    return serve(Scenario.load(options.scenario), _stack(options), options.reports.resolve(), site, options.processes)


def _faults(options: argparse.Namespace) -> int:
    return fault_matrix(_stack(options), options.reports.resolve())


def _fingerprint(options: argparse.Namespace) -> int:
    return fingerprint(_stack(options), options.reports.resolve())


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
    with stack.reserved():
        print(f"{stack.name} stack {'is up' if stack.start() else 'is up already'}: {stack.url}")
    return 0


def _down(options: argparse.Namespace) -> int:
    stack = _stack(options)
    with stack.reserved():
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
