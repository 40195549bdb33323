"""A tool that is a Python function: its signature says what it takes, its docstring what it does.

A function that changes nothing may be declared with effect = "reads"; one that takes a `Call` is given the key under
which it was called. It may raise agent.engine.ToolFailed, whose text is told to the model; any other exception is a
fault whose text nobody is told.
"""

import asyncio
import importlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, get_type_hints

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import to_jsonable_python

from agent.engine import ToolFailed, ToolSpec
from agent.tools.threads import Threads
from agent.tools.tool import Call, Tool, ToolSection
from hub.channel import Finding

WRONG = "参数有误，没有执行。请按照参数说明改正。"


class PythonSection(ToolSection):
    """One function."""

    description: str = ""
    """What it does and when it is used, for a model; "" = the first paragraph of its docstring."""
    function: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$")]
    """Its dotted name, as "shop.orders.status"."""


SECTION = PythonSection


class Python:
    """Makes the one tool of a section, when the function is imported."""

    def __init__(self, name: str, section: PythonSection) -> None:
        self._name = name
        self._section = section
        self._threads = Threads()
        self.tools: Sequence[Tool] = ()

    async def open(self) -> None:
        """Imports it, beside the event loop."""
        if not self.tools:
            self.tools = (await asyncio.to_thread(self._made),)

    async def close(self) -> None:
        """Nothing to close."""

    async def doctor(self) -> Finding:
        """Imports it, and calls nothing."""
        try:
            await self.open()
        except ToolFailed as failure:
            return Finding("function", False, str(failure), "correct the name, or make it importable from here")
        return Finding("function", True, f"{self._section.function} is there")

    def _made(self) -> Tool:
        function = found(self._section.function)
        model, wants_call = arguments(self._name, function, frozenset(self._section.bind))
        told = self._section.description or (inspect.getdoc(function) or self._name).partition("\n\n")[0]
        spec = ToolSpec(
            self._name, told, json.dumps(model.model_json_schema(), ensure_ascii=False), self._section.examples
        )

        async def act(given: Mapping[str, Any], call: Call) -> object:
            values = _typed(model, given) | {name: given[name] for name in self._section.bind}
            values |= dict.fromkeys(wants_call, call)
            if inspect.iscoroutinefunction(function):
                result = await function(**values)
            else:
                result = await self._threads.run(lambda: function(**values))
            return to_jsonable_python(result, fallback=str)

        return Tool(spec, self._section.policy("acts"), act, self._section.manner(self._name))


def found(name: str) -> Callable[..., Any]:
    """The function of a dotted name. Raises ToolFailed with the reason."""
    module, _, attribute = name.rpartition(".")
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ToolFailed(f"{name} can't be imported ({type(error).__name__})") from None
    except Exception as error:  # noqa: BLE001 — a module may do anything while it is imported
        raise ToolFailed(f"{module} breaks while it is imported ({type(error).__name__})") from None
    if not callable(function):
        raise ToolFailed(f"{name} is no function")
    return function  # type: ignore[no-any-return]


def arguments(name: str, function: Callable[..., Any], bound: frozenset[str]) -> tuple[type[BaseModel], list[str]]:
    """The model of what others give, and the parameters that want the Call. Raises ToolFailed."""
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters
    except (NameError, TypeError, ValueError):
        raise ToolFailed(f"the signature of {name} can't be read") from None
    if missing := bound - parameters.keys():
        raise ToolFailed(f"the function has no parameter {', '.join(sorted(missing))}, which is bound")
    calls = [key for key in parameters if hints.get(key) is Call]
    fields: dict[str, Any] = {
        key: (hints.get(key, str), ... if one.default is one.empty else one.default)
        for key, one in parameters.items()
        if key not in bound and key not in calls and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    }
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields), calls


def _typed(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        typed = model.model_validate({key: value for key, value in given.items() if key in model.model_fields})
    except ValidationError:
        raise ToolFailed(WRONG) from None
    return {key: getattr(typed, key) for key in model.model_fields}


def make(name: str, section: PythonSection, http: aiohttp.ClientSession) -> Python:
    """The tool of a section."""
    return Python(name, section)
