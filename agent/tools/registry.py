"""kind in [agent.tools.NAME] → the module of that name.

A module is imported only when a tool of its kind is declared; it names its section `SECTION`, and `make(name, section,
http)` makes what offers the tools (see toolbox.Maker).
"""

import importlib
from collections.abc import Mapping
from typing import Any

import aiohttp
from pydantic import BaseModel

from agent.tools.toolbox import Maker
from config.settings import Section

KINDS = ("http", "openapi", "sql", "python", "mcp")


def _module(kind: str) -> Any:
    if kind not in KINDS:
        raise KeyError(kind)
    return importlib.import_module(f"agent.tools.{kind}")


def section(kind: str) -> type[BaseModel]:
    """The section of a kind, for config.load."""
    found: type[BaseModel] = _module(kind).SECTION
    return found


def makers(sections: Mapping[str, Section], http: aiohttp.ClientSession) -> dict[str, Maker]:
    """What makes the tools of each section."""
    return {name: _module(one.kind).make(name, one, http) for name, one in sections.items()}  # type: ignore[attr-defined]
