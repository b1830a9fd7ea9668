"""A real replica in a process of its own."""

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager

from tests.builders.http import ask
from tests.builders.processes import running as running_process
from tests.builders.processes import wait_for


@contextmanager
def running():
    """A replica that is ready, and its port. Whatever the body left of it is killed."""
    words = [sys.executable, "-m", "backend", "--port", "0"]  # any free one: tests may run side by side
    environment = os.environ | {"HOST_TAG": "back-01", "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with running_process(words, env=environment, **pipes) as process:
        port = int(process.stdout.readline().rpartition(":")[2])
        for line in process.stderr:
            if "Application startup complete" in line:
                break
        wait_for(lambda: ask(f"http://127.0.0.1:{port}/health").status == 200)
        yield process, port
        process.kill()


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def post(url, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ask(f"{url}/models", body, headers={"Content-Type": "application/json"})


def counters(url):
    text = ask(f"{url}/metrics").body.decode()
    return {outcome: int(count) for outcome, count in re.findall(r'models_total{outcome="(\w+)"} (\d+)', text)}
