"""The HTTP face of the service."""

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backend.application.condition import Condition, OutOfOrder
from backend.application.create_model import CreateModel, Tally
from backend.domain.lego_model import LegoModel
from backend.presentation.envelope import Envelope, faults

BODY_LIMIT_BYTES = 64 * 1024
NOT_JSON = "json_invalid"


def create_app(tag: str) -> FastAPI:
    """The application of the replica called `tag`."""
    app = FastAPI(title="LEGO models", description=f"Replica {tag}", redirect_slashes=False)
    app.state.tag = tag
    app.state.tally = Tally()
    app.state.condition = Condition()
    app.state.create_model = CreateModel(app.state.tally, app.state.condition)
    app.add_api_route("/", who, methods=["GET"])
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/metrics", metrics, methods=["GET"])
    app.add_api_route(
        "/models",
        create_model,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": LegoModel.model_json_schema()}}}},
    )
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(ClientDisconnect, hung_up)
    return app


async def who(request: Request) -> Response:
    """Which replica answers here."""
    return Envelope.of(request, "LEGO models: POST one to /models").response(HTTPStatus.OK)


async def health(request: Request) -> Response:
    """The health check."""
    condition: Condition = request.app.state.condition
    if not condition.looks_healthy:
        return Envelope.of(request, "ill", success=False).response(HTTPStatus.SERVICE_UNAVAILABLE)
    return Envelope.of(request, "healthy").response(HTTPStatus.OK)


async def metrics(request: Request) -> Response:
    """The tally as Prometheus text, exposition format 0.0.4."""
    tally: Tally = request.app.state.tally
    text = (
        "# HELP models_total Documents taken since this process started, by what came of them.\n"
        "# TYPE models_total counter\n"
        f'models_total{{outcome="created"}} {tally.created}\n'
        f'models_total{{outcome="rejected"}} {tally.rejected}\n'
        f'models_total{{outcome="failed"}} {tally.failed}\n'
        "# HELP models_counted_since_seconds When this process began to count, in seconds since the Unix epoch.\n"
        "# TYPE models_counted_since_seconds gauge\n"
        f"models_counted_since_seconds {tally.started:.6f}\n"
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def create_model(request: Request) -> Response:
    """Create a LEGO model."""
    try:
        model = request.app.state.create_model(await _body(request))
    except ValidationError as error:
        return _rejection(request, error)
    except OutOfOrder:
        return Envelope.of(request, "Out of order", success=False).response(HTTPStatus.SERVICE_UNAVAILABLE)
    return Envelope.of(request, "Item created successfully", data=model).response(HTTPStatus.CREATED)


async def refused(request: Request, error: Exception) -> Response:
    """No such path, wrong method or too large a body, in the same envelope."""
    assert isinstance(error, HTTPException)
    response = Envelope.of(request, error.detail, success=False).response(error.status_code)
    response.headers.update(error.headers or {})
    return response


async def hung_up(_request: Request, _error: Exception) -> Response:
    """The client left before its body was complete: nobody will read this answer."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Body over {BODY_LIMIT_BYTES} bytes")
    return bytes(body)


def _rejection(request: Request, error: ValidationError) -> Response:
    not_json = error.errors(include_url=False)[0]["type"] == NOT_JSON
    status, message = (
        (HTTPStatus.BAD_REQUEST, "The body is not JSON")
        if not_json
        else (HTTPStatus.UNPROCESSABLE_ENTITY, "The model breaks rules")
    )
    envelope = Envelope.of(request, message, success=False)
    envelope.errors = faults(error)
    return envelope.response(status)
