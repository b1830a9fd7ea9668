"""A replica with a fault, otherwise the real one: `HOST_TAG=back-01 python -m tests.mutants.backend FAULT --port 8001`.

Each fault strikes one POST in ten, but for those of the name, which strike all, as does slowness. Being busy is no
fault: each answer takes a while. Being busier is that, and a fifth more; being abrupt is that, and
no time for a goodbye.
"""

import argparse
import asyncio
import os
import random
import signal
from itertools import count

import uvicorn

from backend.presentation.app import create_app

ONE_IN = 10
SLOW_S = (0.02, 0.1)
BUSY_S = 0.05
BUSIER_S = 1.2 * BUSY_S


class Faulty:
    """The application, wrong in one way. What it sends is under the tag that it is given."""

    def __init__(self, tag, fault):
        self._app = create_app(tag)
        self._tag = tag.encode()
        self._fault = getattr(self, f"_{fault}")
        self._always = fault in ("misnamed", "nameless", "slow", "busy", "busier", "abrupt")
        self._posts = count(1)

    async def __call__(self, scope, receive, send):
        applied_faults = scope["type"] == "http" and scope["method"] == "POST" and self._strikes()
        await (self._fault if applied_faults else self._tagged)(scope, receive, send)

    def _strikes(self):
        return next(self._posts) % ONE_IN == 0 or self._always

    async def _tagged(self, scope, receive, send, tag=None):
        async def tagging(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-host-tag", tag or self._tag)]
            await send(message)

        await self._app(scope, receive, tagging if scope["type"] == "http" else send)

    async def _misnamed(self, scope, receive, send):
        await self._tagged(scope, receive, send, b"back-01")

    async def _nameless(self, scope, receive, send):
        await self._app(scope, receive, send)

    async def _slow(self, scope, receive, send):
        await asyncio.sleep(random.uniform(*SLOW_S))
        await self._tagged(scope, receive, send)

    async def _busy(self, scope, receive, send):
        await asyncio.sleep(BUSY_S)
        await self._tagged(scope, receive, send)

    async def _busier(self, scope, receive, send):
        await asyncio.sleep(BUSIER_S)
        await self._tagged(scope, receive, send)

    async def _abrupt(self, scope, receive, send):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 0)  # in place of uvicorn's
        await self._busy(scope, receive, send)

    async def _unavailable(self, _scope, receive, send):
        await _received(receive)
        await _answer(send, 503, self._tag, b"{}")

    async def _uncounted(self, _scope, receive, send):
        await _received(receive)
        await _answer(send, 201, self._tag, b"{}")

    async def _unanswered(self, scope, receive, send):
        await self._app(scope, receive, _swallow)
        send.__self__.transport.abort()  # uvicorn's, which has no other way to hang up without a word

    async def _truncated(self, scope, receive, send):
        await self._app(scope, receive, _swallow)
        await _answer(send, 201, self._tag, b"{}", length=100)


async def _received(receive):
    while (await receive()).get("more_body"):
        pass


async def _swallow(_message):
    pass


async def _answer(send, status, tag, body, length=None):
    headers = [(b"x-host-tag", tag), (b"content-length", str(length or len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        Faulty(os.environ["HOST_TAG"], options.fault),
        host=options.host,
        port=options.port,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        log_level="critical",  # it is meant to fail
    )


if __name__ == "__main__":
    main()
