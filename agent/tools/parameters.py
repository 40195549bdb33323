"""Parameters as an operator declares them, and the schema that they make. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from config.settings import Section, fault

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error:
        raise fault('is no regular expression; write one like "[0-9]{6,12}"') from None
    return text


class Parameter(Section):
    """One value that a call needs. It is read from the question: by the model, or by its pattern and choices."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    title: str = ""
    """As people call it; "" = its name."""
    description: str = ""
    """What it is, for a model."""
    required: bool = True
    pattern: Annotated[str, AfterValidator(_pattern)] = ""
    """A regular expression for the whole value; without a model it finds the value in the question."""
    choices: tuple[str, ...] = ()
    """The only values there are; without a model the one that stands in the question."""
    minimum: float | None = None
    maximum: float | None = None
    longest: Annotated[int, Field(ge=1)] = 200
    """Characters of a text."""

    def rules(self) -> dict[str, Any]:
        """As JSON schema has it."""
        said: dict[str, Any] = {"type": self.type}
        said |= {key: text for key, text in (("title", self.title), ("description", self.description)) if text}
        if self.type == "string":
            said["maxLength"] = self.longest
        if self.pattern:
            said["pattern"] = f"^(?:{self.pattern})$"
        if self.choices:
            said["enum"] = list(self.choices)
        limits = {"minimum": self.minimum, "maximum": self.maximum}
        return said | {key: value for key, value in limits.items() if value is not None}


def _declared(parameters: dict[str, Parameter], info: ValidationInfo) -> dict[str, Parameter]:
    for name in parameters:
        if not NAME.fullmatch(name):
            raise fault("a name is made of letters, digits and _", key=name)
        if name in info.data.get("bind", {}):
            raise fault("is bound to the turn already, so nobody else may give it; leave it out here", key=name)
    return parameters


Parameters = Annotated[dict[str, Parameter], AfterValidator(_declared)]


def schema(parameters: Mapping[str, Parameter]) -> str:
    """The JSON schema of all of them."""
    said = {
        "type": "object",
        "properties": {name: parameter.rules() for name, parameter in parameters.items()},
        "required": [name for name, parameter in parameters.items() if parameter.required],
        "additionalProperties": False,
    }
    return json.dumps(said, ensure_ascii=False)


def titles(parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """As people call them."""
    return {name: parameter.title or name for name, parameter in parameters.items()}


def without(schema: Mapping[str, Any], bound: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of what others give: without what the turn itself gives, and with nothing else beside."""
    properties = {name: one for name, one in schema.get("properties", {}).items() if name not in bound}
    required = [name for name in schema.get("required", ()) if name not in bound]
    return {**schema, "type": "object", "properties": properties, "required": required, "additionalProperties": False}
