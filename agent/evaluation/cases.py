"""The questions of an evaluation, one JSON object a line.

question   what is asked
before     questions asked before it in the same conversation, the oldest first
sources    documents that a right answer names, each by its file's name (with or without ending), title or address
facts      words that a right answer holds; width, case, script and space make no difference
unknown    true: the knowledge does not hold it, and a right answer says so
tools      tools that a right answer uses, by their names; what acts is asked about and never done
linked     true: who asks is known by evidence
part, kind names by which the figures are also told apart, for example "held out" and "typo"
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_FAULTS = 20
"""Faults of a file that are listed."""


class Case(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1)
    before: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    unknown: bool = False
    tools: tuple[str, ...] = ()
    linked: bool = False
    part: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cases:
    """What a file holds, and what is wrong with it, each fault with its line."""

    cases: tuple[Case, ...]
    faults: tuple[str, ...] = ()


def read(path: Path) -> Cases:
    """The questions of a file. Raises OSError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return Cases((), ("is not UTF-8",))
    found, faults = list[Case](), list[str]()
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(Case.model_validate_json(line))
            except ValidationError as error:
                faults += [f"line {number}: {fault}" for fault in _told(error)]
    if not found and not faults:
        faults.append("holds no question")
    return Cases(tuple(found), tuple(faults[:MOST_FAULTS]))


def _told(error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        where = ".".join(map(str, one["loc"]))
        yield f"{where}: {one['msg']}" if where else one["msg"]
