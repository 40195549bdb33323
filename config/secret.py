"""Secrets: written in hub.toml as "env:NAME" or "file:PATH", never spelled out, never printed.

An `Address` is the URL of a store. It may carry a password, so it is kept like a secret; it may be
written out, because most carry none.
"""

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

REFERENCES = ("env:", "file:")


class Secret:
    """A value that shows itself only when asked for by `value`."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret('…')"

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _resolve, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )


def _spelled_out(given: object) -> object:
    """An address that is no reference is taken as it stands."""
    if isinstance(given, str) and not given.startswith(REFERENCES):
        return Secret(given.strip())
    return given


Address = Annotated[Secret, BeforeValidator(_spelled_out)]


def password(address: Secret) -> str:
    """The password that stands in an address, "" when there is none."""
    try:
        return urlsplit(address.value).password or ""
    except ValueError:
        return ""


def _resolve(given: object, info: ValidationInfo) -> Secret:
    """The value behind a reference. A relative path is relative to `folder` in the validation context."""
    if isinstance(given, Secret):
        return given
    if not isinstance(given, str) or not given.startswith(REFERENCES):
        raise PydanticCustomError("secret", 'a secret is written "env:NAME" or "file:PATH", never spelled out here')
    scheme, _, name = given.partition(":")
    if not name:
        raise PydanticCustomError("secret", '"{scheme}:" names nothing', {"scheme": scheme})
    return Secret(_variable(name) if scheme == "env" else _file(name, info))


def _variable(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise PydanticCustomError("secret", "the environment variable {name} is not set", {"name": name})
    return value


def _file(name: str, info: ValidationInfo) -> str:
    folder = (info.context or {}).get("folder", Path())
    try:
        value = Path(folder, name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise PydanticCustomError("secret", "the file {name} can't be read", {"name": name}) from None
    if not value:
        raise PydanticCustomError("secret", "the file {name} is empty", {"name": name})
    return value
