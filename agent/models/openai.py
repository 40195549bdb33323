"""The chat-completions dialect: OpenAI, Ollama, Hugging Face's router, and every server that is compatible.

https://platform.openai.com/docs/api-reference/chat/create

Spoken here, over the HTTP client that the hub has anyway, because this is the road that every answer takes. Measured
for one streamed turn, 64 side by side: 0.5 ms of CPU here, 5.5 ms through the vendor's SDK, 6.6 ms through
pydantic-ai's direct requests, 13.6 ms through its Agent; and none of the 4 s of imports and 100 MB that those cost.

Compatible servers differ in small things, which are met here: one that ignores `stream` and answers with one body; one
that sends tool calls whole, or without an index; one that refuses `tools` (asked again without, and remembered).
A connection that the server had closed meanwhile is opened once more, and a server that asks for a second of patience
gets it, once; every other failure is the ladder's to judge.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from pydantic import BaseModel, ValidationError

from agent.engine import EngineFailed, EngineRefused, EngineTimedOut, ToolSpec
from agent.models import events
from agent.models.model import Message, Piece, Request, Spent, ToolCall, Words

log = structlog.get_logger()

PATIENCE = 2.0
"""Seconds that a busy server may ask us to wait (Retry-After); where it asks for more, somebody else answers."""
SILENCE = 30.0
"""Seconds without a byte after which a model is given up, also where a call may take longer."""


class _Function(BaseModel):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(BaseModel):
    index: int | None = None
    id: str | None = None
    function: _Function = _Function()


class _Said(BaseModel):
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_Call] | None = None

    @property
    def text(self) -> str:
        """The words; some servers send them as a list of parts."""
        if isinstance(self.content, list):
            return "".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Choice(BaseModel):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None

    @property
    def spent(self) -> _Usage | None:
        """The cost, as far as this chunk knows it; Moonshot tells it beside the words."""
        return self.usage or next((choice.usage for choice in self.choices[:1]), None)


class ChatModel:
    """A model behind one address. `fresh`: it is OpenAI's own, which wants newer names. `pictures`: it takes them."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        api_key: str = "",
        timeout: float = 60,
        fresh: bool = False,
        pictures: bool = False,
    ) -> None:
        self.name = name
        self._url = f"{base_url}/chat/completions"
        self._headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=10, sock_read=min(timeout, SILENCE))
        self._limit = "max_completion_tokens" if fresh else "max_tokens"
        self._takes_tools = True
        self._pictures = pictures
        self._near = urlsplit(base_url).hostname in ("127.0.0.1", "::1", "localhost")  # reached through no proxy
        self._http: aiohttp.ClientSession | None = None

    async def ask(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Asks once, and once more where the server does not take tools or had closed the connection."""
        async with AsyncExitStack() as open_response:
            try:
                response = await self._answered(request, open_response)
                async for piece in _pieces(response):
                    yield piece
            except TimeoutError:
                raise EngineTimedOut from None
            except (aiohttp.ClientError, ConnectionError) as error:
                raise EngineFailed(type(error).__name__) from error

    async def warm(self) -> None:
        """Opens the pool of connections."""
        self._session()

    async def close(self) -> None:
        """Closes it."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            pool = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
            self._http = aiohttp.ClientSession(connector=pool, timeout=self._timeout, trust_env=not self._near)
        return self._http

    async def _answered(self, request: Request, stack: AsyncExitStack) -> aiohttp.ClientResponse:
        tools = request.tools if self._takes_tools else ()
        response = await self._post(request, tools, stack)
        if response.status in (429, 503) and (pause := _asked_to_wait(response)) <= PATIENCE:
            await asyncio.sleep(pause)
            response = await self._post(request, tools, stack)
        if response.status == 400 and tools:
            response = await self._post(request, (), stack)
            if response.status == 200:
                self._takes_tools = False
                log.warning("the model takes no tools; it is asked without from now on", model=self.name)
        _accepted(response)
        return response

    async def _post(
        self, request: Request, tools: tuple[ToolSpec, ...], stack: AsyncExitStack
    ) -> aiohttp.ClientResponse:
        payload = json.dumps(self._payload(request, tools), ensure_ascii=False).encode("utf-8", "replace")

        def post() -> Any:
            return self._session().post(self._url, data=payload, headers=self._headers, allow_redirects=False)

        try:
            response: aiohttp.ClientResponse = await stack.enter_async_context(post())
        except aiohttp.ServerDisconnectedError:
            response = await stack.enter_async_context(post())
        return response

    def _payload(self, request: Request, tools: tuple[ToolSpec, ...]) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self.name,
            "messages": [_message(message, pictures=self._pictures) for message in request.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            self._limit: request.tokens,
        }
        if tools:
            payload["tools"] = [_tool(tool) for tool in tools]
        return payload


def _message(message: Message, *, pictures: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"role": message.role, "content": message.text}
    if pictures and message.pictures:
        text = {"type": "text", "text": message.text}
        urls = [f"data:{each.media_type};base64,{b64encode(each.data).decode()}" for each in message.pictures]
        shown["content"] = [text, *({"type": "image_url", "image_url": {"url": url}} for url in urls)]
    if message.calls:
        shown["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.call:
        shown["tool_call_id"] = message.call
    return shown


def _tool(tool: ToolSpec) -> dict[str, Any]:
    parameters = json.loads(tool.parameters)
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _asked_to_wait(response: aiohttp.ClientResponse) -> float:
    """The seconds of Retry-After; no end where there is none, or a date."""
    try:
        return float(response.headers.get("Retry-After", "inf"))
    except ValueError:
        return float("inf")


def _accepted(response: aiohttp.ClientResponse) -> None:
    """Raises what a status that is not 200 means. The body is never read: it may quote the prompt or the key."""
    if response.status in (401, 403, 404):
        raise EngineRefused(str(response.status))
    if response.status != 200:
        raise EngineFailed(str(response.status))


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[Piece]:
    """What comes together is said together: a busy model sends many words at once.

    Some servers tell the cost once, some with each chunk what it has come to so far: the last one counts.
    """
    calls, finished, spent = _Calls(), False, None
    async for chunks in _chunks(response):
        words = ""
        for choice in (choice for chunk in chunks for choice in chunk.choices[:1]):
            said = choice.delta or choice.message
            words += said.text if said else ""
            calls.add(said.tool_calls if said else None)
            finished = finished or choice.finish_reason is not None
        if words:
            yield Words(words)
        spent = next((chunk.spent for chunk in reversed(chunks) if chunk.spent), spent)
    if spent:
        yield Spent(spent.prompt_tokens or 0, spent.completion_tokens or 0)
    if not finished:
        raise EngineFailed("cut_off")
    for call in calls.whole():
        yield call


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[list[_Chunk]]:
    if response.content_type != "text/event-stream":
        yield [_read(await events.body(response))]
        return
    async for came in events.data(response):
        chunks, ended = _until_done(came)
        yield chunks
        if ended:
            return


def _until_done(came: Iterable[str]) -> tuple[list[_Chunk], bool]:
    """The chunks, and whether the stream says that it is done."""
    chunks: list[_Chunk] = []
    for data in came:
        if data.strip() == "[DONE]":
            return [*chunks, _Chunk(choices=[_Choice(finish_reason="stop")])], True
        chunks.append(_read(data))
    return chunks, False


def _read(data: str | bytes) -> _Chunk:
    try:
        chunk = _Chunk.model_validate_json(data)
    except ValidationError:
        raise EngineFailed("unreadable") from None
    if chunk.error:
        raise EngineFailed("error_in_stream")
    return chunk


class _Calls:
    """Puts the pieces of tool calls together. A piece without index belongs to the last call, unless it has a name."""

    def __init__(self) -> None:
        self._calls: dict[int, list[str]] = {}

    def add(self, pieces: list[_Call] | None) -> None:
        for piece in pieces or ():
            name, arguments = piece.function.name or "", piece.function.arguments or ""
            if isinstance(arguments, dict):
                arguments = json.dumps(arguments, ensure_ascii=False)
            call = self._calls.setdefault(self._place(piece.index, name), ["", "", ""])
            call[0] = call[0] or piece.id or ""
            call[1] = call[1] or name
            call[2] += arguments

    def whole(self) -> list[ToolCall]:
        return [ToolCall(given or f"call_{n}", name, written) for n, (given, name, written) in self._calls.items()]

    def _place(self, index: int | None, name: str) -> int:
        if index is not None:
            return index
        last = max(self._calls, default=-1)
        return last + 1 if name or last < 0 else last
