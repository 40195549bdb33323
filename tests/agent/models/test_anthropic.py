"""Anthropic's dialect, against a small server that speaks it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from agent.engine import EngineFailed, EngineRefused
from agent.models import providers
from agent.models.model import Message, Piece, Request, Spent, ToolCall, Words
from config.sections import ModelSection
from tests.agent.library import LOOK

CALL = ToolCall("c1", "look", '{"at": 1}')
SAID = (
    Message("system", "规则"),
    Message("user", "早"),
    Message("assistant", "好"),
    Message("user", "问"),
    Message("assistant", "我看看", (CALL, ToolCall("c2", "look", "{broken"))),
    Message("tool", "见", call="c1"),
    Message("tool", "不行", call="c2"),
)


def events(*blocks: dict[str, Any], stop: str = "end_turn") -> list[dict[str, Any]]:
    """A whole message as the server streams it."""
    usage = {"input_tokens": 7, "output_tokens": 1}
    start = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    found: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for n, block in enumerate(blocks):
        text = block["type"] == "text"
        empty: dict[str, Any] = block | ({"text": ""} if text else {"input": dict[str, Any]()})
        delta = (
            {"type": "text_delta", "text": block["text"]}
            if text
            else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        )
        found += [
            {"type": "content_block_start", "index": n, "content_block": empty},
            {"type": "content_block_delta", "index": n, "delta": delta},
            {"type": "content_block_stop", "index": n},
        ]
    end = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}}
    return [*found, end, {"type": "message_stop"}]


@asynccontextmanager
async def server(script: list[dict[str, Any]] | int) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    asked: list[dict[str, Any]] = []

    async def messages(request: web.Request) -> web.Response:
        asked.append(await request.json())
        if isinstance(script, int):
            return web.json_response({"type": "error", "error": {"type": "x", "message": "x"}}, status=script)
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in script)
        return web.Response(text=body, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/messages", messages)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def pieces(script: list[dict[str, Any]] | int) -> tuple[list[Piece], list[dict[str, Any]]]:
    async with server(script) as (url, asked):
        section = ModelSection(provider="anthropic", name="claude-next", base_url=url, timeout=5)
        model = providers.model(section)
        assert model
        await model.warm()
        try:
            return [piece async for piece in model.ask(Request(SAID, (LOOK,), 99))], asked
        finally:
            await model.close()


async def test_words_calls_and_cost_come_out() -> None:
    found, _ = await pieces(
        events(
            {"type": "text", "text": "我再看看"},
            {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "库"}},
            stop="tool_use",
        )
    )

    assert found == [Words("我再看看"), ToolCall("t1", "look", '{"at":"库"}'), Spent(7, 5)]


async def test_what_was_said_goes_in() -> None:
    _, asked = await pieces(events({"type": "text", "text": "好"}))

    body = asked[0]
    assert (body["model"], body["max_tokens"], body["tools"][0]["name"]) == ("claude-next", 99, "look")
    assert "规则" in json.dumps(body["system"], ensure_ascii=False)
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert body["messages"][3]["content"][1]["input"] == {"at": 1}
    assert body["messages"][3]["content"][2]["input"] == {}
    assert [part["tool_use_id"] for part in body["messages"][4]["content"]] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("script", "error", "code"),
    [(401, EngineRefused, "401"), (404, EngineRefused, "404"), (429, EngineFailed, "429"), (529, EngineFailed, "529")],
)
async def test_every_way_to_fail_has_its_name(script: int, error: type[EngineFailed], code: str) -> None:
    with pytest.raises(EngineFailed) as failure:
        await pieces(script)

    assert (type(failure.value), failure.value.code) == (error, code)


async def test_a_stream_that_is_cut_off_is_a_failure() -> None:
    with pytest.raises(EngineFailed):
        await pieces(events({"type": "text", "text": "半"})[:3])
