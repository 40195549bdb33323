"""Anthropic's models through Kotaemon's own class for them."""

from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.engines.kotaemon.engine import Kotaemon
from tests.agent.engines.kotaemon.real import HERE, section
from tests.agent.library import SHIPPING, answer, context, events, turn

pytestmark = HERE
QUESTION = "满多少元免运费?"


async def test_it_is_asked_with_its_key_and_its_answer_is_told() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    async def messages(request: web.Request) -> web.Response:
        asked.append((request.headers["x-api-key"], await request.json()))
        said = {"type": "text", "text": " 知道了\nFinal Answer: 满九十九元免运费 [1]。"}
        usage = {"input_tokens": 7, "output_tokens": 5}
        return web.json_response(
            {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": "scripted",
                "content": [said],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": usage,
            }
        )

    app = web.Application()
    app.router.add_post("/v1/messages", messages)
    async with TestServer(app) as server:
        engine = Kotaemon(section(str(server.make_url("")).rstrip("/"), provider="anthropic"))
        await engine.link.ready()
        found = await events(engine.answer(turn(QUESTION), context(QUESTION, SHIPPING)))
        await engine.close()

    assert answer(found).text == "满九十九元免运费 [1]。"
    assert (answer(found).usage.input_tokens, answer(found).usage.output_tokens) == (7, 5)
    [(key, body)] = asked
    assert key == "none"
    assert "九十九元" in body["system"]
    assert [message["role"] for message in body["messages"]] == ["user"]
