"""The arguments of a call, held to the schema that was declared. Pure."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from agent.engine import ToolFailed

LONGEST = 16_000
"""Characters of arguments; what is longer is no call of a tool."""
MOST = 3
"""Faults that are told at once."""


def checked(given: str, schema: str) -> dict[str, Any]:
    """The arguments, in the order of the schema. Raises ToolFailed, which says to the model what is wrong."""
    rules = json.loads(schema)
    arguments = _read(given)
    faults = sorted(Draft202012Validator(rules).iter_errors(arguments), key=lambda fault: fault.json_path)
    if faults:
        told = "；".join(f"{fault.json_path.removeprefix('$.')}: {fault.message[:200]}" for fault in faults[:MOST])
        raise ToolFailed(f"参数有误，没有执行：{told}。请按照参数说明改正。")
    order = list(rules.get("properties", {}))
    return dict(sorted(arguments.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


def canonical(arguments: dict[str, Any]) -> str:
    """The same JSON for the same arguments."""
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True)


def _read(given: str) -> dict[str, Any]:
    try:
        arguments = json.loads(given or "{}") if len(given) <= LONGEST else None
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise ToolFailed("参数有误，没有执行：应为一个 JSON 对象。")
    return arguments
