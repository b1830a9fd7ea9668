"""Requests that the web interface refuses: those from pages of other sites in the same browser."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def same_origin_only(app: Flask) -> None:
    """Refuse requests from pages of other sites. Locust itself answers them all."""

    def refuse_others() -> Response | None:
        origin = request.headers.get("Origin")
        if origin is None or urlsplit(origin).netloc == request.host:
            return None
        return Response(f"a page of {origin} asks for this, and not a page of Locust\n", 403, mimetype="text/plain")

    app.before_request(refuse_others)


def this_machine_only(app: Flask) -> None:
    """Refuse requests that use another name than this machine's: another site's name may lead here."""

    def refuse_other_names() -> Response | None:
        if urlsplit(f"//{request.host}").hostname in THIS_MACHINE:
            return None
        return Response(f"{request.host} is no name of this machine\n", 400, mimetype="text/plain")

    app.before_request(refuse_other_names)
