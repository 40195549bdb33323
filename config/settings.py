"""What every section of hub.toml has in common. The section of a room is declared where it is used."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChannelSection(Section):
    """What every channel takes."""

    kind: str
    max_age: Annotated[int, Field(ge=0)] = 600
    """Seconds; a callback signed longer ago is refused. 0 = any age."""
