"""Who may ask: pages of this site, not those of others that a browser has open as well."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def same_origin_only(app: Flask) -> None:
    """Refuse what the page of another site asks for. Locust itself would answer everybody."""

    def refuse_others() -> Response | None:
        origin = request.headers.get("Origin")
        if origin is None or urlsplit(origin).netloc == request.host:
            return None
        return Response(
            f"this is asked for by a page of {origin}, and not by Locust's own\n", 403, mimetype="text/plain"
        )

    app.before_request(refuse_others)


def this_machine_only(app: Flask) -> None:
    """Answer to the names of this machine alone: a name of another site that leads here is not one."""

    def refuse_other_names() -> Response | None:
        if urlsplit(f"//{request.host}").hostname in THIS_MACHINE:
            return None
        return Response(f"{request.host} is no name of this machine\n", 400, mimetype="text/plain")

    app.before_request(refuse_other_names)
