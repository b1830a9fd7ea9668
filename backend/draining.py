"""A uvicorn server that loses no request when it stops.

uvicorn closes idle connections as soon as it is told to stop. A balancer that has just sent a POST on such a connection
cannot know whether the backend processed it, must not send it again, and answers 502. So this server stops in another
order:

1. It refuses new connections. A refused client has sent nothing, and tries another backend.
2. Every answer says `Connection: close`, so that a client uses each kept connection at most once more.
3. Idle connections stay open until the other end closes them. Only the sender of requests can close an idle connection
   and know that no request is on its way; nginx does so soon (`keepalive_timeout` of its upstream).
4. After `LIMIT_S`, uvicorn closes what is still open: idle connections at once, others after their answer.
"""

import asyncio
import logging
import os
import socket
from types import FrameType

import uvicorn

from backend.listen_backlog import close_and_drain

# Longer than nginx keeps an idle upstream connection (1 s), shorter than the time to a kill (5 s on the local stack,
# 10 s under Docker), and well below the time for which nginx leaves a backend alone that refused (5 s).
LIMIT_S = 2.5
POLL_EVERY_S = 0.05
CLOSE_HEADER = (b"connection", b"close")

logger = logging.getLogger("uvicorn.error")


class DrainingServer(uvicorn.Server):
    """Drains on the first SIGTERM or SIGINT and exits with 0; a second signal ends it at once."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        """Handle a signal to stop. uvicorn raises it again at the end; this server does not: it ended well."""
        if self.should_exit:
            os._exit(128 + sig)  # the signal's own default would do nothing to the first process of a container
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, and then shut down as uvicorn does."""
        try:
            async with asyncio.timeout(LIMIT_S):
                # In place: a request in flight holds this very list, and reads it when its answer begins.
                self.server_state.default_headers.append(CLOSE_HEADER)
                await self._refuse_new_connections(sockets or [])
                await self._wait_until_connections_close()
        except TimeoutError:
            logger.info("%d connections are still open after %g s", len(self.server_state.connections), LIMIT_S)
        await super().shutdown(sockets)

    async def _refuse_new_connections(self, listeners: list[socket.socket]) -> None:
        """Serve the connections in the backlog and no later ones. The listeners are duplicates of one socket."""
        loop = asyncio.get_running_loop()
        for connection in close_and_drain(listeners[0]) if listeners else ():
            await loop.connect_accepted_socket(self._protocol, connection)
        for server in self.servers:
            server.close()

    def _protocol(self) -> asyncio.Protocol:
        """The protocol that uvicorn makes for a connection that it accepts itself."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def _wait_until_connections_close(self) -> None:
        state = self.server_state
        logger.info("Draining")
        await asyncio.sleep(0)  # the last accepted connection joins `connections` only after a turn of the loop
        while state.connections or state.tasks:
            await asyncio.sleep(POLL_EVERY_S)
