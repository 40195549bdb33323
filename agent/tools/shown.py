"""What a tool brought, cut to what can be read, and put into words. Pure.

A model gets fields and values in lines; a person gets the operator's template filled in, or the same lines.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

ITEMS = 20
"""Items of a list that are kept."""
TEXT = 2000
"""Characters of a text that are kept."""
WHOLE = 6000
"""Characters of a result in words."""
DEEPEST = 6
SPOKEN = 10
"""Items that a person is told of at once."""
FIELD = re.compile(r"\{([\w.]+)\}")


def trimmed(value: object, depth: int = 0) -> object:
    """The same JSON value with short lists and texts; what nests too deep is left out."""
    match value:
        case str():
            return value if len(value) <= TEXT else value[: TEXT - 1] + "…"
        case None | bool() | int() | float():
            return value
        case _ if depth >= DEEPEST:
            return "…"
        case Mapping():
            return {str(key)[:100]: trimmed(inner, depth + 1) for key, inner in list(value.items())[: 5 * ITEMS]}
        case list() | tuple():
            return [trimmed(inner, depth + 1) for inner in value[:ITEMS]]
        case _:
            return str(value)[:TEXT]


def part(value: object, path: str) -> object:
    """The part of a value that "data.orders" names; None where it has none."""
    for step in filter(None, path.split(".")):
        if isinstance(value, list) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def nothing(value: object) -> bool:
    """Whether a tool found nothing."""
    return value is None or value in ("", [], {})


def readable(value: object) -> str:
    """A value in lines, as "order: 7, status: sent"."""
    return "\n".join(_lines(value))[:WHOLE]


def spoken(value: object, template: str) -> str:
    """The operator's words for a value; of a list, a line for each item."""
    items = value if isinstance(value, list) else [value]
    lines = [filled(template, item) for item in items[:SPOKEN]]
    return "\n".join(lines if len(lines) == 1 else [f"- {line}" for line in lines])


def filled(template: str, value: object) -> str:
    """A template with the fields of one value; a field that is not there stays empty."""
    return FIELD.sub(lambda found: plain(part(value, found[1])), template)


def fields(template: str) -> list[str]:
    """The fields that a template names."""
    return FIELD.findall(template)


def plain(value: object) -> str:
    """A value inside a line."""
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


def _lines(value: object) -> Iterator[str]:
    match value:
        case list() if all(isinstance(item, Mapping) for item in value):
            yield from (f"- {_flat(item)}" for item in value)
        case list():
            yield from (f"- {plain(item)}" for item in value)
        case Mapping():
            for key, inner in value.items():
                if isinstance(inner, Mapping | list) and inner:
                    yield f"{key}:"
                    yield from (f"  {line}" for line in _lines(inner))
                else:
                    yield f"{key}: {plain(inner)}"
        case _:
            yield plain(value)


def _flat(item: Mapping[str, Any]) -> str:
    return "，".join(f"{key}: {plain(value)}" for key, value in item.items())
