"""The user: posts one model after the other, as fast as answers come."""

import json
from http import HTTPStatus

from locust import FastHttpUser, task

from locustfiles.ledgers import HOST_TAG
from locustfiles.shape import ScenarioShape

BODY = json.dumps(
    {
        "name": "Starship Enterprise",
        "pieces": 1599,
        "theme": "Sci-Fi",
        "difficulty": "easy",
        "price_us": 199.99,
        "year": 2001,
    }
)


class ModelsUser(FastHttpUser):
    """Creates models for as long as the gate lets it."""

    host = "http://127.0.0.1:8080"
    connection_timeout = 30.0
    network_timeout = 70.0  # longer than the balancer waits for a backend: its answer is to be seen, a 504 included

    @task
    def create_model(self) -> None:
        """POST one model. In Locust's own tables the request carries the tag of whoever answered."""
        shape = self.environment.shape_class
        assert isinstance(shape, ScenarioShape)
        with (
            shape.gate.admit() as ticket,
            self.client.post(
                "/models",
                data=BODY,
                headers={"Content-Type": "application/json", "X-Request-Id": ticket.request_id},
                context=ticket._asdict(),
                catch_response=True,
                allow_redirects=False,
            ) as response,
        ):
            tag = (response.headers or {}).get(HOST_TAG) or ""
            response.request_meta["name"] = f"/models {tag or 'nobody'}"
            if fault := _fault(response.status_code, tag):
                response.failure(fault)


def _fault(status: int, tag: str) -> str:
    """What is wrong with an answer that Locust takes for a good one; empty when nothing is. Status 0 is no answer."""
    if not HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST:
        return ""
    if status != HTTPStatus.CREATED:
        return f"status {status} instead of {HTTPStatus.CREATED:d}"
    return "" if tag else f"no {HOST_TAG}"
