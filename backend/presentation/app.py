"""The HTTP interface of the service."""

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backend.application.create_model import Counters, CreateModel
from backend.application.fault_switches import CreationSwitchedOff, FaultSwitches
from backend.domain.lego_model import LegoModel
from backend.presentation.envelope import Envelope, details_of

BODY_LIMIT_BYTES = 64 * 1024
NOT_JSON = "json_invalid"


def create_app(tag: str) -> FastAPI:
    """The application of the replica called `tag`."""
    app = FastAPI(title="LEGO models", description=f"Replica {tag}", redirect_slashes=False)
    app.state.tag = tag
    app.state.counters = Counters()
    app.state.fault_switches = FaultSwitches()
    app.state.create_model = CreateModel(app.state.counters, app.state.fault_switches)
    app.add_api_route("/", identity, methods=["GET"])
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/metrics", metrics, methods=["GET"])
    app.add_api_route(
        "/models",
        create_model,
        methods=["POST"],
        status_code=HTTPStatus.CREATED,
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": LegoModel.model_json_schema()}}}},
    )
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ClientDisconnect, client_disconnected)
    return app


async def identity(request: Request) -> Response:
    """Say which replica answers."""
    return Envelope.of(request, "LEGO models: POST one to /models").response(HTTPStatus.OK)


async def health(request: Request) -> Response:
    """Answer the health check."""
    switches: FaultSwitches = request.app.state.fault_switches
    if switches.health_check_fails:
        return Envelope.of(request, "ill", success=False).response(HTTPStatus.SERVICE_UNAVAILABLE)
    return Envelope.of(request, "healthy").response(HTTPStatus.OK)


async def metrics(request: Request) -> Response:
    """Report the counters as Prometheus text, exposition format 0.0.4."""
    counters: Counters = request.app.state.counters
    text = (
        "# HELP models_total Documents taken since this process started, by what came of them.\n"
        "# TYPE models_total counter\n"
        f'models_total{{outcome="created"}} {counters.created}\n'
        f'models_total{{outcome="rejected"}} {counters.rejected}\n'
        f'models_total{{outcome="failed"}} {counters.failed}\n'
        "# HELP models_counted_since_seconds When this process began to count, in seconds since the Unix epoch.\n"
        "# TYPE models_counted_since_seconds gauge\n"
        f"models_counted_since_seconds {counters.started_s:.6f}\n"
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def create_model(request: Request) -> Response:
    """Create a LEGO model."""
    try:
        model = request.app.state.create_model(await _body(request))
    except ValidationError as error:
        return _rejection(request, error)
    except CreationSwitchedOff:
        return Envelope.of(request, "Out of order", success=False).response(HTTPStatus.SERVICE_UNAVAILABLE)
    return Envelope.of(request, "Item created successfully", data=model).response(HTTPStatus.CREATED)


async def http_error(request: Request, error: Exception) -> Response:
    """Answer an unknown path, a wrong method or too large a body in the same envelope."""
    assert isinstance(error, HTTPException)
    response = Envelope.of(request, error.detail, success=False).response(error.status_code)
    response.headers.update(error.headers or {})
    return response


async def client_disconnected(_request: Request, _error: Exception) -> Response:
    """Answer a client that left before its body was complete, and so will not read the answer."""
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
    envelope.errors = details_of(error)
    return envelope.response(status)
