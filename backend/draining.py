"""A uvicorn that loses no request when it is told to stop.

uvicorn closes idle connections as soon as it is told. A balancer that has just sent a POST on one cannot know whether
it was processed, may not send it again, and answers 502. So the order here is another:

1. No new connections. Who is refused has sent nothing, and goes elsewhere.
2. Every answer says `Connection: close`, so that each kept connection is used once more at most.
3. Idle connections stay open until those at the other end have closed them. Only who sends the requests can close an
   idle connection and be sure that none is on its way; nginx does so soon (`keepalive_timeout` of its upstream).
4. What is still open after `LIMIT_S` is closed as uvicorn does it: idle ones at once, others after their answer.
"""

import asyncio
import logging
import os
import socket
from types import FrameType

import uvicorn

from backend.last_handshake import last_admitted

# Longer than nginx keeps an idle upstream connection (1 s), shorter than what those grant who then kill (5 s on the
# local stack, 10 s under Docker), and well below the time for which nginx leaves one alone that refused (5 s).
LIMIT_S = 2.5
LOOK_EVERY_S = 0.05
CLOSE = (b"connection", b"close")

logger = logging.getLogger("uvicorn.error")


class DrainingServer(uvicorn.Server):
    """Drains on the first SIGTERM or SIGINT and exits with 0; the second one ends it on the spot."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  # uvicorn's signature
        """Take a signal to stop. Unlike uvicorn's, it is not raised again at the end: a drained replica ended well."""
        if self.should_exit:
            os._exit(128 + sig)  # the signal's own default would do nothing to the first process of a container
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, and then do what uvicorn does."""
        try:
            async with asyncio.timeout(LIMIT_S):
                # In place: a request in flight holds this very list, and reads it when its answer begins.
                self.server_state.default_headers.append(CLOSE)
                await self._refuse_new_connections(sockets or [])
                await self._until_all_have_left()
        except TimeoutError:
            logger.info("%d connections are still open after %g s", len(self.server_state.connections), LIMIT_S)
        await super().shutdown(sockets)

    async def _refuse_new_connections(self, listeners: list[socket.socket]) -> None:
        """Serve whoever waits in the listeners, which are all the same socket, and nobody after that."""
        loop = asyncio.get_running_loop()
        for connection in last_admitted(listeners[0]) if listeners else ():
            await loop.connect_accepted_socket(self._protocol, connection)
        for server in self.servers:
            server.close()

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes it for a connection that it has accepted itself."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    async def _until_all_have_left(self) -> None:
        state = self.server_state
        logger.info("Draining")
        await asyncio.sleep(0)  # who was accepted last is among the connections only after a turn of the loop
        while state.connections or state.tasks:
            await asyncio.sleep(LOOK_EVERY_S)
