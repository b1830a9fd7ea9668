"""The command line behind the Makefile: `python -m scenarios list | run NAME | up | down | status | logs`."""

import argparse
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scenarios.definition import Scenario, names
from scenarios.errors import UsageError
from scenarios.runner import SIGNALS, Interrupted, interrupt, run
from scenarios.stacks.local import PROJECT, LocalStack

USAGE = 2
NOT_RUNNING = 3  # as `systemctl status` and `service status` have it
LOG_LINES = 20


def main() -> None:
    """Do what was asked; a refusal is one sentence on standard error and exit code 2."""
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        options = _parser().parse_args()
        code = options.command(options)
    except UsageError as error:
        print(f"scenarios: {error}", file=sys.stderr)
        code = USAGE
    except Interrupted as interrupted:
        print("scenarios: interrupted", file=sys.stderr)
        code = interrupted.exit_code
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        print(f"scenarios: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        code = USAGE
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenarios", description=__doc__)
    port_offset = _number("PORT_OFFSET", 0, 50_000)
    parser.add_argument("--port-offset", type=port_offset, default=0, help="add this to every port of the stack")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="run a scenario and judge it")
    running.add_argument("name", help="its name, for example baseline")
    requests, users = _number("REQUESTS", 1, 100_000_000), _number("USERS", 1, 1_000_000)
    running.add_argument("--requests", type=requests, help="send this many instead of the scenario's number")
    running.add_argument("--users", type=users, help="this many users at the peak instead of the scenario's number")
    running.add_argument("--reports", type=Path, default=PROJECT / "reports", help="where reports are kept")
    running.set_defaults(command=_run)
    for name, command, text in (
        ("list", _list, "list the scenarios with their claims"),
        ("up", _up, "start the stack and leave it running"),
        ("down", _down, "stop the stack"),
        ("status", _status, "say what runs"),
        ("logs", _logs, "show the last lines of every service"),
    ):
        commands.add_parser(name, help=text).set_defaults(command=command)
    return parser


def _number(name: str, lowest: int, highest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise UsageError(f"{name} is {text!r}, and should be a whole number from {lowest:,} to {highest:,}")
        return int(text)

    return number


def _stack(options: argparse.Namespace) -> LocalStack:
    return LocalStack(options.port_offset)


def _run(options: argparse.Namespace) -> int:
    reports = options.reports.resolve()
    return run(Scenario.load(options.name), _stack(options), reports, options.requests, options.users)


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
        if stack.is_up():
            print(f"{stack.name} stack is up already: {stack.target}")
        else:
            stack.start(stay=True)
            print(f"{stack.name} stack is up: {stack.target}")
    return 0


def _down(options: argparse.Namespace) -> int:
    stack = _stack(options)
    with stack.reserved():
        print("stopped" if stack.stop() else "nothing was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    stack = _stack(options)
    processes = {process.name: process.process for process in stack.processes()}
    for service in stack.services():
        process = processes.get(service.address.name)
        state = f"up {time.time() - process.create_time():,.0f} s, process {process.pid}" if process else "not running"
        print(f"{service.address.name:<8} 127.0.0.1:{service.address.port:<6} {state}")
    return 0 if stack.is_up() else NOT_RUNNING


def _logs(options: argparse.Namespace) -> int:
    stack = _stack(options)
    paths = [stack.log(service.address.name) for service in stack.services()] + [stack.directory / "error.log"]
    if not any(path.exists() for path in paths):
        raise UsageError("there are no logs: the stack was not started yet")
    for path in paths:
        print(f"== {path}")
        print(*path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:], sep="\n")
    return 0


if __name__ == "__main__":
    main()
