"""The tools of an MCP server, a program beside the hub or an address: those that are named, and no others.

https://modelcontextprotocol.io/specification — one connection for all turns, kept by a task of its own and opened
anew when it breaks. What a server says of its tools is believed as far as it makes them more careful: one that does
not say that it only reads asks the person first, unless the section says otherwise.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import aiohttp
import structlog
from pydantic import AfterValidator, Field, ValidationInfo

from agent.engine import ToolFailed, ToolSpec
from agent.tools.parameters import without
from agent.tools.tool import Call, Effect, Tool, ToolSection, Unsure
from config.secret import Secret
from config.sections import Web
from config.settings import fault
from hub.channel import Finding

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult
    from mcp.types import Tool as Listed

log = structlog.get_logger()

PAUSES = (0.2, 1.0, 5.0, 30.0)
"""Seconds before a connection that broke is opened again."""
OPENING = 20.0
"""Seconds that a server has to start and to list its tools."""
PAGES = 20
GONE = "这个工具的服务现在连不上。"


def _command(command: str, info: ValidationInfo) -> str:
    if bool(command) == bool(info.data.get("url")):
        raise fault("write either a command to start, or the url of a server that runs")
    return command


class McpSection(ToolSection):
    """One server."""

    confirm: bool | None = None  # type: ignore[assignment]  # three values here: the server's own word counts between
    """true = all its tools ask first; false = none does; left out: those that may change something."""
    tools: Annotated[tuple[str, ...], Field(min_length=1)]
    """The tools that may be used; no other is offered."""
    url: Web = ""
    """The address of a server that speaks streamable HTTP."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers by name, each a secret."""
    command: Annotated[str, AfterValidator(_command)] = ""
    """The program that is started, and speaks on its standard input and output."""
    args: tuple[str, ...] = ()
    env: dict[str, Secret] = Field(default_factory=dict)
    """Variables of its environment, each a secret; of the hub's own it gets HOME, PATH and the like only."""

    @property
    def chosen_by(self) -> tuple[str, ...]:
        """The examples, where they can only mean one tool."""
        return self.examples if len(self.tools) == 1 else ()

    def warnings(self) -> list[str]:
        """Examples can't say which of several tools they mean."""
        if self.examples and not self.chosen_by:
            return ["examples: say nothing where a section has several tools; write one section for each"]
        return []


SECTION = McpSection


class Mcp:
    """One server: keeps the connection, and makes a tool of each that is named."""

    def __init__(self, name: str, section: McpSection) -> None:
        self._name = name
        self._section = section
        self._client: Client | None = None
        self._ready = asyncio.Event()
        self._broken = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.tools: Sequence[Tool] = ()

    async def open(self) -> None:
        """Starts keeping the connection, and waits for the first one."""
        self._keeper = self._keeper or asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(OPENING):
                await self._ready.wait()
        except TimeoutError:
            raise ToolFailed("the server does not answer") from None

    async def close(self) -> None:
        """Ends the connection, and a program that was started for it."""
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def doctor(self) -> Finding:
        """Lists the tools, and calls none."""
        key = "url" if self._section.url else "command"
        try:
            await self.open()
        except ToolFailed as failure:
            return Finding(key, False, str(failure), "start the server, or correct what stands here")
        finally:
            await self.close()
        there = {tool.spec.name.removeprefix(f"{self._name}_") for tool in self.tools}
        if missing := [name for name in self._section.tools if name not in there]:
            return Finding("tools", False, f"the server has no {', '.join(missing)}", "correct the names")
        return Finding(key, True, f"the server lists {', '.join(self._section.tools)}")

    async def _keep(self) -> None:
        """Connects again whenever the connection breaks, until it is cancelled."""
        failures = 0
        while True:
            self._broken.clear()
            try:
                async with self._connected() as client:
                    self._client, failures = client, 0
                    self._ready.set()
                    await self._broken.wait()
            except Exception as error:  # noqa: BLE001 — whatever a server does must not end this task
                log.warning("an MCP server is not reached", tool=self._name, error=type(error).__name__)
            finally:
                self._client = None
                self._ready.clear()
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    @asynccontextmanager
    async def _connected(self) -> "AsyncIterator[Client]":
        """A connection whose tools were listed."""
        async with asyncio.timeout(OPENING) as opening, opened(self._section) as client:
            listed = [tool for tool in await everything(client) if tool.name in self._section.tools]
            self.tools = tuple(self._tool(one) for one in listed)
            opening.reschedule(None)
            yield client

    def _tool(self, listed: "Listed") -> Tool:
        effect = _effect(listed)
        confirm = self._section.confirm
        given = without(listed.input_schema, self._section.bind)
        spec = ToolSpec(
            f"{self._name}_{listed.name}"[:64],
            (listed.description or listed.name)[:1000],
            json.dumps(given, ensure_ascii=False),
            self._section.chosen_by,
        )

        async def act(given: Mapping[str, Any], call: Call) -> object:
            return await self._call(listed.name, dict(given))

        policy = self._section.policy(effect, confirm=effect != "reads" if confirm is None else confirm)
        return Tool(spec, policy, act, self._section.manner(listed.title or spec.name))

    async def _call(self, name: str, given: dict[str, Any]) -> object:
        await self._ready.wait()
        client = self._client
        if client is None:
            raise ToolFailed(GONE)
        try:
            result = await client.call_tool(name, given)
        except Exception as error:  # noqa: BLE001 — the library names no error for a connection that breaks
            log.warning("an MCP server did not answer a call", tool=self._name, error=type(error).__name__)
            self._ready.clear()
            self._broken.set()
            raise Unsure(GONE) from None
        return value(result)


async def everything(client: "Client") -> "list[Listed]":
    """All tools of a server, page by page."""
    found: list[Listed] = []
    cursor = None
    for _ in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def value(result: "CallToolResult") -> object:
    """The result as a JSON value. Raises ToolFailed where the tool says that it failed."""
    texts = [block.text for block in result.content if block.type == "text"]
    if result.is_error:
        raise ToolFailed(f"没有成功：{' '.join(' '.join(texts).split())[:300]}".replace("<", "‹"))
    if result.structured_content is not None:
        return result.structured_content
    text = "\n".join(texts)
    try:
        return json.loads(text)
    except ValueError:
        return text


@asynccontextmanager
async def opened(section: McpSection) -> "AsyncIterator[Client]":
    """A client of the server. It is made beside the event loop: the library takes a second, certificates are read."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(await asyncio.to_thread(_client, section, stack))


def _client(section: McpSection, stack: AsyncExitStack) -> "Client":
    import httpx2
    import jsonschema  # noqa: F401 — the library would import it in the middle of the first call
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamable_http_client

    if section.command:
        env = {name: secret.value for name, secret in section.env.items()}
        program = StdioServerParameters(command=section.command, args=list(section.args), env=env)
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        # what it logs may hold secrets of its own
        return Client(stdio_client(program, errlog=nowhere))
    headers = {name: secret.value for name, secret in section.headers.items()}
    http = httpx2.AsyncClient(headers=headers, timeout=section.timeout)
    stack.push_async_callback(http.aclose)
    return Client(streamable_http_client(section.url, http_client=http))


def _effect(listed: "Listed") -> Effect:
    """What the server says of a tool."""
    said = listed.annotations
    if said and said.read_only_hint:
        return "reads"
    return "repeats" if said and said.idempotent_hint else "acts"


def make(name: str, section: McpSection, http: aiohttp.ClientSession) -> Mcp:
    """The tools of a section."""
    return Mcp(name, section)
