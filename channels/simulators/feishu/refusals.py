"""How the simulated Feishu refuses, and the refusals and breakdowns that are planned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


class Refused(Exception):
    """An answer with a code that is not 0."""

    def __init__(
        self, code: int, message: str = "refused", *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.headers = headers or {}


@dataclass
class Fault:
    """What happens to the next `times` calls whose path ends so: a refusal, or a connection that is cut."""

    path: str
    refused: Refused | None = None
    cut: Literal["", "before", "after"] = ""
    times: int = 1
    method: str = ""
    seconds: float = field(default=0.0)

    def fits(self, method: str, path: str) -> bool:
        """Whether it is the turn of this call."""
        return self.times > 0 and path.endswith(self.path) and self.method in ("", method)
