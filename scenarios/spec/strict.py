"""The base of every part of a scenario file, and the types that they share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Definition(BaseModel):
    """A part of a scenario file. A misspelt key, or a number written as text, is an error and not a default."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
