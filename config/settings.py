"""What every section of hub.toml has in common. The section of a room is declared where it is used.

`check` and every start show a section's warnings; one that begins with "SETTING: " is told under that setting's path.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError


def fault(text: str, *, key: str = "") -> PydanticCustomError:
    """What a validator raises. The text says what to write instead; `key` names a setting inside the value."""
    return PydanticCustomError("fault", "{text}", {"text": text, "key": key})


class Section(BaseModel):
    """A section: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def warnings(self) -> list[str]:
        """What is allowed but unwise."""
        return []


class ChannelSection(Section):
    """What every channel takes."""

    kind: str
    max_age: Annotated[int, Field(ge=0)] = 600
    """Seconds; a callback signed longer ago is refused. 0 = any age."""


def _placed(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return Path(folder, path.expanduser())


Place = Annotated[Path, AfterValidator(_placed)]
"""A file or a folder; a relative path is relative to the file hub.toml."""
