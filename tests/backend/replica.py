"""A real replica in a process of its own."""

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager

from tests.conftest import PROJECT, ask, wait_for

MODEL = {
    "name": "Starship Enterprise",
    "pieces": 1599,
    "theme": "Sci-Fi",
    "difficulty": "easy",
    "price_us": 199.99,
    "year": 2001,
}


@contextmanager
def running():
    """A replica that is ready, and its port. Whatever the body left of it is killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "backend", "--port", "0"],  # any free one: tests may run side by side
        cwd=PROJECT,
        env=os.environ | {"HOST_TAG": "back-01", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            port = int(process.stdout.readline().rpartition(":")[2])
            for line in process.stderr:
                if "Application startup complete" in line:
                    break
            wait_for(lambda: ask(f"http://127.0.0.1:{port}/health").status == 200)
            yield process, port
        finally:
            process.kill()


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def post(url, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return ask(f"{url}/models", body, headers={"Content-Type": "application/json"})


def tally(url):
    text = ask(f"{url}/metrics").body.decode()
    return {outcome: int(count) for outcome, count in re.findall(r'models_total{outcome="(\w+)"} (\d+)', text)}
