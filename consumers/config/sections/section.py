"""The base of all sections, and the limits that settings share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _off_is_none(value: object) -> object:
    return None if value == "off" else value


def _topic_name(value: str) -> str:
    if not value or set(value) - set("abcdefghijklmnopqrstuvwxyz0123456789.-"):
        raise ValueError("a topic name has lower-case letters, digits, dots and hyphens only")
    return value


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=0, le=65_535)]
GroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
TopicName = Annotated[str, AfterValidator(_topic_name)]
PositiveOrOff = Annotated[Positive | None, BeforeValidator(_off_is_none)]
CountOrOff = Annotated[Count | None, BeforeValidator(_off_is_none)]


class Section(BaseModel):
    """Base of all sections: frozen, and no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
