"""Operations of an OpenAPI 3 document, each a tool: those that are named, with the schemas that the document gives."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import yaml
from pydantic import AfterValidator, Field, ValidationInfo
from yarl import URL

from agent.engine import ToolFailed, ToolSpec
from agent.tools.http import EFFECTS, KEY, MARK, examined, segment, text
from agent.tools.parameters import without
from agent.tools.sending import Request, send
from agent.tools.tool import Call, Tool, ToolSection
from config.secret import Secret
from config.sections import Web
from hub.channel import Finding

METHODS = ("get", "post", "put", "patch", "delete")
BODIES = ("POST", "PUT", "PATCH")
DEEPEST = 8
"""References inside references that are followed."""
SECONDS = 20.0


def _document(document: str, info: ValidationInfo) -> str:
    if document.startswith(("http://", "https://")):
        return document
    return str(Path((info.context or {}).get("folder", Path()), document))


class OpenapiSection(ToolSection):
    """One document."""

    document: Annotated[str, Field(min_length=1), AfterValidator(_document)]
    """A file, or an address; JSON or YAML."""
    operations: Annotated[tuple[str, ...], Field(min_length=1)]
    """The operationIds that may be used; no other is offered."""
    base_url: Web = ""
    """Where the API is; "" = the first server that the document names."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers by name, each a secret."""
    private: bool = False
    """The server may stand in a private network."""

    @property
    def chosen_by(self) -> tuple[str, ...]:
        """The examples, where they can only mean one tool."""
        return self.examples if len(self.operations) == 1 else ()

    def warnings(self) -> list[str]:
        """Examples can't say which of several tools they mean."""
        if self.examples and not self.chosen_by:
            return ["examples: say nothing where a section has several tools; write one section for each"]
        return []


SECTION = OpenapiSection


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `places` says where each parameter goes: path, query or body."""

    id: str
    method: str
    path: str
    description: str
    schema: Mapping[str, Any]
    places: Mapping[str, str]


class Openapi:
    """Makes a tool of each operation, when the document was read."""

    def __init__(self, name: str, section: OpenapiSection, http: aiohttp.ClientSession) -> None:
        self._name = name
        self._section = section
        self._http = http
        self._base = section.base_url
        self.tools: Sequence[Tool] = ()

    async def open(self) -> None:
        """Reads the document."""
        document = await self._read()
        found = {operation.id: operation for operation in operations(document)}
        if missing := [name for name in self._section.operations if name not in found]:
            raise ToolFailed(f"the document has no operation {', '.join(missing)}")
        self._base = self._section.base_url or server(document, self._section.document)
        self.tools = tuple(self._tool(found[name]) for name in self._section.operations)

    async def close(self) -> None:
        """Nothing to close: the session is the hub's."""

    async def doctor(self) -> Finding:
        """Reads the document, and connects to the host."""
        try:
            await self.open()
        except ToolFailed as failure:
            return Finding("document", False, str(failure), "correct document or operations")
        return await examined(URL(self._base), private=self._section.private, key="base_url")

    async def _read(self) -> Mapping[str, Any]:
        place = self._section.document
        if "://" in place:
            async with asyncio.timeout(SECONDS):
                given = await send(self._http, Request("GET", URL(place)), private=self._section.private)
            return await asyncio.to_thread(parsed, given)
        try:
            return await asyncio.to_thread(lambda: parsed(Path(place).read_text(encoding="utf-8")))
        except OSError as error:
            raise ToolFailed(f"{place} can't be read ({error.strerror})") from None

    def _tool(self, operation: Operation) -> Tool:
        section = self._section
        spec = ToolSpec(
            f"{self._name}_{operation.id}"[:64],
            operation.description,
            json.dumps(without(operation.schema, section.bind), ensure_ascii=False),
            section.chosen_by,
        )

        async def act(given: Mapping[str, Any], call: Call) -> object:
            headers = {name: secret.value for name, secret in section.headers.items()}
            return await send(self._http, request(operation, self._base, headers, given, call), private=section.private)

        return Tool(spec, section.policy(EFFECTS.get(operation.method, "acts")), act, section.manner(spec.name))


def parsed(given: object) -> Mapping[str, Any]:
    """The document of its text, or of its JSON value. Raises ToolFailed."""
    try:
        document = yaml.safe_load(given) if isinstance(given, str) else given
    except yaml.YAMLError:
        document = None
    if not isinstance(document, Mapping) or not str(document.get("openapi", "")).startswith("3."):
        raise ToolFailed("the document is no OpenAPI 3")
    return document


def server(document: Mapping[str, Any], place: str) -> str:
    """Where the API is. Raises ToolFailed."""
    servers: list[Mapping[str, Any]] = document.get("servers") or [{}]
    url = str(servers[0].get("url", ""))
    if "://" in place and not url.startswith("http"):
        url = str(URL(place).join(URL(url or "/")))
    if not url.startswith("http"):
        raise ToolFailed("the document names no server; write base_url")
    return url.rstrip("/")


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """All operations that have an id."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if (one := item.get(method)) and "operationId" in one:
                yield _operation(document, path, method, {**one, "shared": item.get("parameters", [])})


def _operation(document: Mapping[str, Any], path: str, method: str, one: Mapping[str, Any]) -> Operation:
    properties: dict[str, Any] = {}
    places: dict[str, str] = {}
    required: list[str] = []
    for given in (*one["shared"], *one.get("parameters", ())):
        parameter = resolved(document, given)
        if parameter.get("in") in ("path", "query"):
            name = parameter["name"]
            properties[name] = {"description": parameter.get("description", ""), **parameter.get("schema", {})}
            places[name] = parameter["in"]
            required += [name] if parameter.get("required") else []
    body = resolved(document, one.get("requestBody", {}))
    content = body.get("content", {}).get("application/json", {}).get("schema", {})
    for name, inner in content.get("properties", {}).items():
        properties.setdefault(name, inner)
        places.setdefault(name, "body")
    required += [name for name in content.get("required", ()) if places.get(name) == "body"]
    schema = {"type": "object", "properties": properties, "required": list(dict.fromkeys(required))}
    told = one.get("description") or one.get("summary") or one["operationId"]
    return Operation(one["operationId"], method.upper(), path, str(told)[:1000], schema, places)


def resolved(document: Mapping[str, Any], node: Any, depth: int = 0) -> Any:
    """A part of the document with its references in place; what refers to itself ends somewhere."""
    if isinstance(node, list):
        return [resolved(document, inner, depth) for inner in node]
    if not isinstance(node, Mapping):
        return node
    if isinstance(reference := node.get("$ref"), str):
        return resolved(document, _referred(document, reference), depth + 1) if depth < DEEPEST else {}
    return {key: resolved(document, inner, depth) for key, inner in node.items()}


def _referred(document: Mapping[str, Any], reference: str) -> Any:
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, Mapping) else {}
    return node


def request(
    operation: Operation, base: str, headers: Mapping[str, str], given: Mapping[str, Any], call: Call
) -> Request:
    """What is sent for these values. A bound parameter that the document does not know goes into the query."""
    path = MARK.sub(lambda found: segment(given.get(found[1])), operation.path)
    url = URL(base + path, encoded=True)
    placed = {name: operation.places.get(name, "query") for name in given}
    query = {name: text(value) for name, value in given.items() if placed[name] == "query" and value is not None}
    body = {name: value for name, value in given.items() if placed[name] == "body"}
    url = url.extend_query(query) if query else url
    keyed = {} if operation.method == "GET" else {KEY: call.key}
    return Request(operation.method, url, {**headers, **keyed}, body if operation.method in BODIES else None)


def make(name: str, section: OpenapiSection, http: aiohttp.ClientSession) -> Openapi:
    """The tools of a section."""
    return Openapi(name, section, http)
