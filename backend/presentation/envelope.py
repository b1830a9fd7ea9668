"""One envelope for every JSON answer, good or bad, so that a client finds the replica's name in one place."""

from typing import Self

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from backend.domain.lego_model import LegoModel


class ErrorDetail(BaseModel):
    """One error in a request: the property and the reason."""

    property: str
    reason: str


class Envelope(BaseModel):
    """The body of an answer. It omits `data` and `errors` where they are empty."""

    host: str
    success: bool
    message: str
    data: LegoModel | None = None
    errors: list[ErrorDetail] | None = None

    @classmethod
    def of(cls, request: Request, message: str, *, success: bool = True, data: LegoModel | None = None) -> Self:
        """Make an envelope with this replica's tag and the address that the request reached."""
        address = request.scope["server"][0]
        return cls(host=f"tag: {request.app.state.tag} - {address}", success=success, message=message, data=data)

    def response(self, status: int) -> Response:
        """The HTTP response that carries this envelope."""
        return Response(self.model_dump_json(exclude_none=True), status, media_type="application/json")


def details_of(error: ValidationError) -> list[ErrorDetail]:
    """Every error that validation found; an error of the whole document has the property `body`."""
    return [
        ErrorDetail(
            property=".".join(map(str, detail["loc"])) or "body", reason=detail["msg"].removeprefix("Value error, ")
        )
        for detail in error.errors(include_url=False, include_context=False, include_input=False)
    ]
