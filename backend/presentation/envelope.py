"""One envelope for every JSON answer, good or bad, so a client reads who answered in one place."""

from typing import Self

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from backend.domain.lego_model import LegoModel


class Fault(BaseModel):
    """One thing that is wrong with a request: which property, and why."""

    property: str
    reason: str


class Envelope(BaseModel):
    """The body of an answer. `data` and `errors` are left out when there is nothing to say."""

    host: str
    success: bool
    message: str
    data: LegoModel | None = None
    errors: list[Fault] | None = None

    @classmethod
    def of(cls, request: Request, message: str, *, success: bool = True, data: LegoModel | None = None) -> Self:
        """An envelope signed with this replica's tag and the address that the request reached."""
        address = request.scope["server"][0]
        return cls(host=f"tag: {request.app.state.tag} - {address}", success=success, message=message, data=data)

    def response(self, status: int) -> Response:
        """The HTTP response that carries this envelope."""
        return Response(self.model_dump_json(exclude_none=True), status, media_type="application/json")


def faults(error: ValidationError) -> list[Fault]:
    """Every fault that validation found; a fault of the document as a whole is filed under `body`."""
    return [
        Fault(property=".".join(map(str, detail["loc"])) or "body", reason=detail["msg"].removeprefix("Value error, "))
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    ]
