"""How the simulated DingTalk says no, and the faults that it can be told to have."""

from dataclasses import dataclass
from typing import Literal


class Refused(Exception):
    """An HTTP status with a code, as the API answers."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass
class Fault:
    """The next `times` calls whose path holds `path` fail: by a status, by an errcode under HTTP 200, or cut off."""

    path: str
    times: int = 1
    status: int = 503
    code: str = "ServiceUnavailable"
    errcode: int = 0
    cut: Literal["", "before", "after"] = ""
