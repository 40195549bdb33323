"""A model that says what a script tells it, over real HTTP in the chat-completions dialect: for tests and trials.

The script is a function from what was asked to what is said, so that one server plays a helpful model, one that calls
tools, and every way of failing that has been seen in the wild.

    async with Scripted(lambda asked: Reply(f"You said {asked.question}")) as model:
        ChatModel("scripted", base_url=model.url)
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `question` is the last message of the person, `results` what tools brought since."""

    question: str
    results: tuple[str, ...]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """All that was shown, as one text."""
        return "\n".join(str(message.get("content")) for message in self.body["messages"])

    @property
    def tools(self) -> list[str]:
        """The names of the tools that were offered."""
        return [tool["function"]["name"] for tool in self.body.get("tools", ())]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model does: waits, fails with a status, sends raw bytes, calls tools, or speaks.

    `pieces` is how many characters come at once, `pause` the seconds between them; `cut` breaks the connection in the
    middle, `drop` before anything is said.
    """

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    status: int = 200
    raw: bytes | None = None
    media_type: str = "application/json"
    wait: float = 0.0
    pieces: int = 4
    pause: float = 0.0
    cut: bool = False
    drop: bool = False
    retry_after: str = ""
    whole: bool = False
    """Answers with one body, though a stream was asked for."""


Script = Callable[[Asked], Reply]


def echo(asked: Asked) -> Reply:
    """Says the question, and [1] after it where there are passages."""
    return Reply(asked.question + (" [1]" if '<passage number="1"' in asked.prompt else ""))


class Scripted:
    """The server. `asked` is all that it was asked, in order."""

    def __init__(self, script: Script = echo) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.url = ""
        app = web.Application(client_max_size=16 << 20)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = _asked(await request.json())
        self.asked.append(asked)
        reply = self.script(asked)
        await asyncio.sleep(reply.wait)
        if reply.drop:
            _break(request)
            return web.Response()
        if reply.raw is not None or reply.status != 200:
            raw = reply.raw or json.dumps({"error": {"message": "scripted"}}).encode()
            after = {"Retry-After": reply.retry_after} if reply.retry_after else None
            return web.Response(status=reply.status, body=raw, content_type=reply.media_type, headers=after)
        if reply.whole or not asked.body.get("stream"):
            return web.json_response({"choices": [{"message": _said(reply), "finish_reason": "stop"}], "usage": USAGE})
        return await _streamed(request, reply)


USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def _asked(body: dict[str, Any]) -> Asked:
    messages = body["messages"]
    last = max((n for n, message in enumerate(messages) if message["role"] == "user"), default=0)
    results = tuple(message["content"] for message in messages[last:] if message["role"] == "tool")
    return Asked(messages[last]["content"], results, body)


def _said(reply: Reply) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        said["tool_calls"] = [
            {"index": n, "id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for n, (name, arguments) in enumerate(reply.calls)
        ]
    return said


async def _streamed(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    async for chunk in _chunks(reply):
        await response.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
    if reply.cut:
        _break(request)
    else:
        await response.write(b"data: [DONE]\n\n")
    return response


async def _chunks(reply: Reply) -> AsyncIterator[dict[str, Any]]:
    yield _chunk({"role": "assistant", "content": ""})
    text = reply.text[: len(reply.text) // 2] if reply.cut else reply.text
    for start in range(0, len(text), reply.pieces):
        yield _chunk({"content": text[start : start + reply.pieces]})
        await asyncio.sleep(reply.pause)
    if reply.cut:
        return
    if reply.calls:
        yield _chunk({"tool_calls": _said(reply)["tool_calls"]})
    yield _chunk({}, "tool_calls" if reply.calls else "stop")
    yield {"choices": [], "usage": USAGE}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _break(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
