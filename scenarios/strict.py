"""What the parts of a scenario file have in common: they are exact."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Definition(BaseModel):
    """Exact: a misspelt key or a number written as text is an error, not a default."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
