"""The aggregate: a LEGO model, which exists only while every rule holds."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

YEAR_OF_THE_FIRST_BRICK = 1949


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _plausible_year(year: int) -> int:
    next_year = datetime.now(UTC).year + 1
    if not YEAR_OF_THE_FIRST_BRICK <= year <= next_year:
        raise ValueError(f"must be between {YEAR_OF_THE_FIRST_BRICK}, the first brick, and {next_year}, next year")
    return year


Text = Annotated[str, AfterValidator(_not_blank)]


class LegoModel(BaseModel):
    """A LEGO model. Wrong values raise `pydantic.ValidationError`, which names every broken rule."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: Text
    pieces: Annotated[int, Field(ge=1)]
    theme: Text
    difficulty: Literal["easy", "medium", "hard"]
    price_us: Annotated[float, Field(ge=0, description="US dollars")]
    year: Annotated[int, AfterValidator(_plausible_year)]
