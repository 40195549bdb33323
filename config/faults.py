"""What is wrong with a configuration: each fault with its dotted path and what to write instead.

No value of the file ever stands in a fault: what was written under a wrong name may be a secret.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.secret import Secret
from hub.errors import ConfigError

TYPES = {
    "int_": "must be a whole number",
    "float_": "must be a number",
    "bool_": "must be true or false",
    "string_type": "must be a text in quotes",
    "path_type": "must be a text in quotes",
    "tuple_type": "must be a list in [ ]",
    "list_type": "must be a list in [ ]",
}
"""What TOML calls the types that pydantic complains about."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, or one warning: the setting and what to write instead."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class Refused(ConfigError):
    """The configuration has faults; the message lists all of them."""

    def __init__(self, file: Path, faults: Sequence[Fault]) -> None:
        count = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
        super().__init__("\n".join([f"{file}: {count}", *(f"  {fault}" for fault in faults)]))
        self.faults = tuple(faults)


def one_of(names: Iterable[str]) -> str:
    """ "a", "b" or "c"."""
    quoted = [f'"{name}"' for name in names]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def nearest(wrong: str, known: Iterable[str]) -> str:
    """What to write instead of a name that is not known."""
    names = sorted(known)
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(names)}"


def keys(model: object) -> dict[str, FieldInfo]:
    """The settings of a section, of all its members where it is a union."""
    found: dict[str, FieldInfo] = {}
    for member in _models(model):
        found |= member.model_fields
    return found


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in an annotation: itself, the members of a union, the items of a sequence."""
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        yield from _models(annotation.model_fields["root"].annotation)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None:
        for argument in get_args(annotation):
            yield from _models(argument)


def faults(error: ValidationError, model: type[BaseModel], raw: object, path: str) -> Iterator[Fault]:
    """The faults of one section; several complaints about one value are one fault."""
    told: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        found = _find(detail, model, raw)
        at = _dotted(path, found.steps)
        told.setdefault(at, _text(detail, found, at))
    yield from (Fault(at, text) for at, text in told.items())


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where an error stands: the steps to it, the setting there, and the settings beside it."""

    steps: tuple[str | int, ...]
    field: FieldInfo | None
    beside: Mapping[str, FieldInfo]


def _find(detail: ErrorDetails, model: object, raw: object) -> _Spot:
    """Follows the error's place through the file; what pydantic puts in between for members of unions is left out."""
    steps: list[str | int] = []
    value, beside, field = raw, keys(model), None
    for step in (*detail["loc"], *_behind(detail)):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        elif step in (inside := keys(field.annotation) if field else beside) or _has(value, step):
            beside, field = inside, inside.get(step)
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            continue
        steps.append(step)
    return _Spot(tuple(steps), field, beside)


def _has(value: object, step: str) -> bool:
    return isinstance(value, Mapping) and step in value


def _behind(detail: ErrorDetails) -> tuple[str, ...]:
    """The setting that is meant, where an error stands at the section above it."""
    context = detail.get("ctx", {})
    key = context.get("key") or str(context.get("discriminator", "")).strip("'")
    return (key,) if key else ()


def _dotted(path: str, steps: Iterable[str | int]) -> str:
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def _text(detail: ErrorDetails, spot: _Spot, at: str) -> str:
    """What is wrong and what to write instead, in the words of this house."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"is missing{_reference(at) if _secret(spot.field) else ''}"
        case "extra_forbidden":
            return f"is not a setting; {nearest(str(spot.steps[-1]), spot.beside)}"
        case "literal_error" | "union_tag_invalid":
            return f"write {context.get('expected', context.get('expected_tags', '')).replace(chr(39), chr(34))}"
        case "union_tag_not_found":
            return "is missing"
        case "secret":
            return detail["msg"] + (_reference(at) if "spelled out" in detail["msg"] else "")
        case "model_type" | "dict_type":
            return "is a section with settings of its own"
        case kind:
            plain = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
            return next((text for what, text in TYPES.items() if kind.startswith(what)), plain)


def _secret(field: FieldInfo | None) -> bool:
    return field is not None and Secret in (field.annotation, *get_args(field.annotation))


def _reference(at: str) -> str:
    """How the setting would be written: channels.oa.app_secret → OA_APP_SECRET."""
    name = "_".join(at.split(".")[1:]).upper().replace("-", "_")
    key = at.rpartition(".")[2]
    return f'; write {key} = "env:{name}" and set that variable, or "file:PATH"'
