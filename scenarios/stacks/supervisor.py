"""The process that owns the local stack's processes, so that none of them outlives the stack.

`python -m scenarios.stacks.supervisor STATE CONF PORT_OFFSET stay|leave` starts every service, waits until each is
healthy, says `ready` (or what went wrong) in one line on standard output, and stops them all when it is told to: by a
signal, by the death of any of them before they are ready, and with `leave` by the end of its standard input, which
comes when the process that started it ends, whatever ended it.
"""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from scenarios.stacks.local import PROJECT, LocalStack, Service
from scenarios.stacks.processes import ProcessId

HEALTHY_WITHIN_S = 30.0
GRACE_S = 5.0
LOG_LINES = 5


class NotHealthy(Exception):
    """A service did not start. The message is one line and ends with what the service said last."""


def main() -> None:
    """Run the stack until told to stop."""
    state, conf, port_offset, stay = sys.argv[1:]
    stack = LocalStack(int(port_offset), Path(conf), Path(state))
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: told_to_stop.set())
    if stay == "leave":
        threading.Thread(target=_wait_for_the_end_of_input, args=(told_to_stop,), daemon=True).start()
    sys.exit(_supervise(stack, told_to_stop))


def _supervise(stack: LocalStack, told_to_stop: threading.Event) -> int:
    children: dict[str, subprocess.Popen[bytes]] = {}
    started = [ProcessId.of("supervisor", os.getpid())]
    try:
        stack.write_conf()
        for service in stack.services():
            name = service.address.name
            children[name] = _start(service, stack.log(name))
            started.append(ProcessId.of(name, children[name].pid))
            stack.remember(started, ready=False)
        for service in stack.services():
            _wait_until_healthy(service, children[service.address.name], stack, told_to_stop)
        stack.remember(started, ready=True)
        print("ready", flush=True)
        told_to_stop.wait()
    except NotHealthy as error:
        print(error, flush=True)
        return 1
    finally:
        _stop(children)
        stack.state_path.unlink(missing_ok=True)
    return 0


def _start(service: Service, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            service.command,
            cwd=PROJECT,
            env=os.environ | service.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_healthy(
    service: Service, child: subprocess.Popen[bytes], stack: LocalStack, told_to_stop: threading.Event
) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    name = service.address.name
    while child.poll() is None and not _healthy(service):
        if time.monotonic() > deadline:
            raise NotHealthy(f"{name} was not healthy within {HEALTHY_WITHIN_S:g} s: {_last_words(stack.log(name))}")
        if told_to_stop.wait(0.05):
            raise NotHealthy("stopped before the stack was ready")
    if child.poll() is not None:
        raise NotHealthy(f"{name} ended with exit code {child.returncode}: {_last_words(stack.log(name))}")


def _healthy(service: Service) -> bool:
    """Whether the service answers, and no other in its place. No proxy of the environment is asked on the way."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(service.health, timeout=1.0) as answer:
            tag = answer.headers.get("X-Host-Tag", service.address.name)
            return bool(answer.status == 200 and tag == service.address.name)
    except (OSError, http.client.HTTPException):
        return False


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return " | ".join(line.strip() for line in lines[-LOG_LINES:]) or "it said nothing"


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Stop nginx first, so that nobody asks a backend that is gone; who does not go in time is killed with its own."""
    for child in reversed(children.values()):
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
        with suppress(ProcessLookupError):  # workers of an nginx that was killed are still there, or all are gone
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait_for_the_end_of_input(told_to_stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    told_to_stop.set()


if __name__ == "__main__":
    main()
