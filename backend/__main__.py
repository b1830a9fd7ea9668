"""Serve one replica: `HOST_TAG=back-01 python -m backend --port 8001`.

It handles these signals, in a container too:

    SIGTERM, SIGINT  answer the requests in flight or on their way, refuse new connections, exit with 0;
                     a second signal ends the process at once
    SIGUSR1          from now on, answer every POST /models with 503 and create nothing
    SIGUSR2          from now on, answer /health with 503 and keep creating models
    SIGCONT          switch both faults off; it also ends a SIGSTOP
"""

import argparse
import os
import re
import socket
import sys
from collections.abc import Mapping

import uvicorn

from backend.draining import DrainingServer
from backend.fault_signals import handle_fault_signals
from backend.presentation.app import create_app

# nginx closes idle connections (after 1 s): only the sender of requests knows that none is on its way. If uvicorn
# closed them first, a POST could meet a connection that is just being closed, and nginx would answer 502.
KEEP_ALIVE_S = 75
# Thousands of connections can arrive while an eighth of a CPU waits for its turn. The kernel cuts this to somaxconn.
LISTEN_BACKLOG = 16384
# libuv accepts one connection per listening socket in each turn of its loop. With a quarter of a CPU and a thousand
# clients a turn takes a second, and connections waited 20 s in the backlog. So libuv gets many duplicates of the one
# socket, which lowered the 99th percentile of such a run from 20 s to 3 s. (asyncio's own loop accepts all connections
# in one turn, but used half as much CPU again for each request.)
ACCEPTS_PER_TURN = 128


class InvalidHostTag(Exception):
    """The environment gives the replica no usable name."""


def host_tag(environment: Mapping[str, str]) -> str:
    """The name of this replica. Raises `InvalidHostTag` when HOST_TAG is missing or unfit for a header."""
    tag = environment.get("HOST_TAG")
    if tag is None:
        raise InvalidHostTag("HOST_TAG is not set: give this replica a name, for example HOST_TAG=back-01")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", tag):
        raise InvalidHostTag(f"HOST_TAG is {tag!r}: use 1 to 64 letters, digits, dots, dashes or underscores")
    return tag


def main() -> None:
    """Serve until a signal stops the process."""
    parser = argparse.ArgumentParser(
        prog="python -m backend", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    port = os.environ.get("PORT", "8001")
    parser.add_argument("--port", type=int, default=port, help="port to listen on (default PORT, or else 8001)")
    options = parser.parse_args()
    try:
        tag = host_tag(os.environ)
    except InvalidHostTag as error:
        print(f"backend: {error}", file=sys.stderr)
        sys.exit(2)
    app = create_app(tag)
    handle_fault_signals(app.state.fault_switches)
    config = uvicorn.Config(
        app,
        headers=[("X-Host-Tag", tag)],  # uvicorn adds it to every answer, also to its own 400 for a malformed request
        server_header=False,
        access_log=False,
        ws="none",  # the application answers an upgrade to a WebSocket like any request, tag included
        backlog=LISTEN_BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    try:
        listener = socket.create_server((options.host, options.port), backlog=LISTEN_BACKLOG)
    except OSError as error:
        print(f"backend: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    print(f"{tag} listens on {options.host}:{listener.getsockname()[1]}")
    DrainingServer(config).run(sockets=[listener, *(listener.dup() for _ in range(ACCEPTS_PER_TURN - 1))])


if __name__ == "__main__":
    main()
