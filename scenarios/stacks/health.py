"""The health check of a service, as every stack asks for it."""

import urllib.request
from http.client import HTTPException

from scenarios.spec.target import Target

ASKED_WITHIN_S = 1.0


def is_healthy(url: str, name: str) -> bool:
    """Whether the service at a URL answers with 200, and does not say that it is another one.

    It asks directly, through no proxy of the environment.
    """
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=ASKED_WITHIN_S) as answer:
            return bool(answer.status == 200 and (Target().identity.of(answer.headers) or name) == name)
    except (OSError, HTTPException):
        return False
