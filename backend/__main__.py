"""Serve one replica: `HOST_TAG=back-01 python -m backend --port 8001`.

It heeds signals, in a container too:

    SIGTERM, SIGINT  finish what is in flight or on its way, refuse what is new, exit with 0; the second ends it at once
    SIGUSR1          from now on answer every POST /models with 503, and create nothing
    SIGUSR2          from now on answer /health with 503, and go on creating models
    SIGCONT          all is well again, also after a SIGSTOP
"""

import argparse
import os
import re
import socket
import sys
from collections.abc import Mapping

import uvicorn

from backend.draining import DrainingServer
from backend.orders import heed
from backend.presentation.app import create_app

# It is for nginx to close idle connections (after 1 s): only who sends the requests knows that none is on its way. Were
# uvicorn to do it first, a POST could meet a connection that is just being closed and come back as a 502.
KEEP_ALIVE_S = 75
# Thousands of connections can arrive while an eighth of a CPU waits for its turn. The kernel cuts this to somaxconn.
BACKLOG = 16384
# libuv accepts one connection per listening socket and turn of its loop, and with a quarter of a CPU and a thousand
# clients a turn takes a second: connections waited for 20 s to be seen. So it is given the one socket many times over,
# which brought the 99th percentile of such a run from 20 s to 3 s. (asyncio's own loop accepts all at once, but took
# half as much CPU again for each request.)
ACCEPTED_AT_ONCE = 128


class Untagged(Exception):
    """The replica was not told who it is."""


def host_tag(environment: Mapping[str, str]) -> str:
    """The name under which this replica answers. Raises `Untagged` when HOST_TAG is missing or unfit for a header."""
    tag = environment.get("HOST_TAG")
    if tag is None:
        raise Untagged("HOST_TAG is not set: give this replica a name, for example HOST_TAG=back-01")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", tag):
        raise Untagged(f"HOST_TAG is {tag!r}: use 1 to 64 letters, digits, dots, dashes or underscores")
    return tag


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m backend", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    port = os.environ.get("PORT", "8001")
    parser.add_argument("--port", type=int, default=port, help="port to listen on (default PORT, or else 8001)")
    options = parser.parse_args()
    try:
        tag = host_tag(os.environ)
    except Untagged as error:
        print(f"backend: {error}", file=sys.stderr)
        sys.exit(2)
    app = create_app(tag)
    heed(app.state.condition)
    config = uvicorn.Config(
        app,
        headers=[("X-Host-Tag", tag)],  # uvicorn puts it on every answer, its own 400 to a malformed request included
        server_header=False,
        access_log=False,
        ws="none",  # an upgrade to a WebSocket is answered like any request, tag included
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    try:
        listener = socket.create_server((options.host, options.port), backlog=BACKLOG)
    except OSError as error:
        print(f"backend: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    print(f"{tag} listens on {options.host}:{listener.getsockname()[1]}")
    DrainingServer(config).run(sockets=[listener, *(listener.dup() for _ in range(ACCEPTED_AT_ONCE - 1))])


if __name__ == "__main__":
    main()
