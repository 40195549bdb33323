"""The chat-completions dialect, with the small differences of servers that are nearly compatible."""

import json
from contextlib import aclosing

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from agent.engine import EngineFailed, EngineRefused, EngineTimedOut
from agent.models import events
from agent.models.model import Message, Piece, Request, Spent, ToolCall, Words
from agent.models.openai import ChatModel
from agent.models.scripted import Asked, Reply, Scripted
from tests.agent.library import LOOK

QUESTION = Request((Message("system", "规则"), Message("user", "问")), (LOOK,), tokens=99)


async def pieces(script: Reply, *, request: Request = QUESTION) -> tuple[list[Piece], list[Asked]]:
    async with Scripted(lambda asked: script) as server:
        model = ChatModel("m", base_url=server.url, api_key="sk-1", timeout=0.5)
        try:
            return [piece async for piece in model.ask(request)], server.asked
        finally:
            await model.close()


def streamed(*chunks: object) -> Reply:
    """A stream of these chunks, as a server would write them."""
    lines = "".join(f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks)
    return Reply(raw=lines.encode(), media_type="text/event-stream")


def delta(finish: str | None = None, **said: object) -> dict[str, object]:
    return {"choices": [{"delta": said, "finish_reason": finish}]}


async def test_all_words_come_and_the_cost_at_the_end() -> None:
    found, _ = await pieces(Reply("一二三四五", pieces=2))

    assert "".join(piece.text for piece in found if isinstance(piece, Words)) == "一二三四五"
    assert found[-1] == Spent(7, 5)


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param(
            [
                delta(content="好"),
                delta("stop"),
                {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}},
            ],
            id="once, as OpenAI and Ollama do",
        ),
        pytest.param(
            [
                {**delta(content="好"), "usage": {"prompt_tokens": 7, "completion_tokens": 1}},
                {**delta("stop"), "usage": {"prompt_tokens": 7, "completion_tokens": 5}},
                {"choices": [], "usage": None},
            ],
            id="with each chunk so far",
        ),
        pytest.param(
            [
                delta(content="好"),
                {
                    "choices": [
                        {"delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 7, "completion_tokens": 5}}
                    ]
                },
            ],
            id="beside the words",
        ),
    ],
)
async def test_the_cost_is_counted_once_however_it_is_told(chunks: list[object]) -> None:
    found, _ = await pieces(streamed(*chunks, "[DONE]"))

    assert [piece for piece in found if isinstance(piece, Spent)] == [Spent(7, 5)]


async def test_a_server_that_does_not_count_is_understood() -> None:
    uncounted = {"prompt_tokens": None, "completion_tokens": None}
    found, _ = await pieces(streamed(delta(content="好"), {**delta("stop"), "usage": uncounted}, "[DONE]"))

    assert found == [Words("好"), Spent(0, 0)]


async def test_words_are_told_while_the_model_still_thinks() -> None:
    async with Scripted(lambda asked: Reply("一二三四五", pieces=2, pause=60)) as server:
        model = ChatModel("m", base_url=server.url)
        async with aclosing(model.ask(QUESTION)) as told:
            first = await anext(told)
        await model.close()

    assert first == Words("一二")


async def test_words_that_came_together_are_told_together() -> None:
    found, _ = await pieces(streamed(delta(content="一"), delta(content="二"), delta("stop"), "[DONE]"))

    assert found == [Words("一二")]


async def test_what_is_asked_stands_in_the_body() -> None:
    _, asked = await pieces(Reply("好"))

    assert asked[0].body == {
        "model": "m",
        "messages": [{"role": "system", "content": "规则"}, {"role": "user", "content": "问"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 99,
        "tools": [
            {
                "type": "function",
                "function": {"name": "look", "description": "Looks.", "parameters": json.loads(LOOK.parameters)},
            }
        ],
    }


async def test_calls_and_their_results_stand_in_the_body() -> None:
    call = ToolCall("c1", "look", '{"at": 1}')
    said = (Message("user", "问"), Message("assistant", "", (call,)), Message("tool", "见", call="c1"))

    _, asked = await pieces(Reply("好"), request=Request(said))

    assert asked[0].body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}],
        },
        {"role": "tool", "content": "见", "tool_call_id": "c1"},
    ]


@pytest.mark.parametrize(
    ("chunks", "calls"),
    [
        pytest.param(
            [
                delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "look", "arguments": ""}}]),
                delta(tool_calls=[{"index": 0, "function": {"arguments": '{"at"'}}]),
                delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
                delta(tool_calls=[{"index": 1, "id": "b", "function": {"name": "go", "arguments": "{}"}}]),
            ],
            [ToolCall("a", "look", '{"at": 1}'), ToolCall("b", "go", "{}")],
            id="in pieces",
        ),
        pytest.param(
            [
                delta(tool_calls=[{"id": "a", "function": {"name": "look", "arguments": '{"at": '}}]),
                delta(tool_calls=[{"function": {"arguments": "1}"}}]),
                delta(tool_calls=[{"id": "b", "function": {"name": "go", "arguments": "{}"}}]),
            ],
            [ToolCall("a", "look", '{"at": 1}'), ToolCall("b", "go", "{}")],
            id="without an index",
        ),
        pytest.param(
            [delta(tool_calls=[{"function": {"name": "look", "arguments": {"at": "库"}}}])],
            [ToolCall("call_0", "look", '{"at": "库"}')],
            id="without an id, with arguments that are an object",
        ),
    ],
)
async def test_calls_are_put_together(chunks: list[object], calls: list[ToolCall]) -> None:
    found, _ = await pieces(streamed(*chunks, delta("tool_calls"), "[DONE]"))

    assert found == calls


async def test_a_server_that_does_not_stream_is_understood() -> None:
    found, _ = await pieces(Reply("全文", whole=True))

    assert found == [Words("全文"), Spent(7, 5)]


@pytest.mark.parametrize(
    "reply",
    [
        streamed(delta("stop", content=[{"type": "text", "text": "好"}])),
        streamed(delta(content="好"), "[DONE]"),
        streamed({"choices": [], "prompt_filter": 1}, delta("stop", content="好", reasoning_content="…"), "[DONE]"),
        Reply(
            raw=b': ping\r\n\r\ndata: {"choices": [{"delta":\r\ndata:  {"content": "\xe5\xa5\xbd"},'
            b' "finish_reason": "stop"}]}\r\n\r\n',
            media_type="text/event-stream",
        ),
    ],
    ids=["content in parts", "no finish reason", "no choices, reasoning", "comments, CRLF, data in two lines"],
)
async def test_servers_that_do_it_their_own_way_are_understood(reply: Reply) -> None:
    found, _ = await pieces(reply)

    assert found == [Words("好")]


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (Reply(status=500), EngineFailed, "500"),
        (Reply(status=429), EngineFailed, "429"),
        (Reply(status=302), EngineFailed, "302"),
        (Reply(status=401), EngineRefused, "401"),
        (Reply(status=404), EngineRefused, "404"),
        (Reply(raw=b"\x00\xff{no"), EngineFailed, "unreadable"),
        (Reply(raw=b"<html>login</html>", media_type="text/html"), EngineFailed, "unreadable"),
        (Reply(raw=b'{"choices": []}'), EngineFailed, "cut_off"),
        (Reply(raw=b"[]"), EngineFailed, "unreadable"),
        (streamed("{broken"), EngineFailed, "unreadable"),
        (streamed({"error": {"message": "overloaded"}}), EngineFailed, "error_in_stream"),
        (streamed(delta(content="半")), EngineFailed, "cut_off"),
        (Reply("一半就断了", cut=True), EngineFailed, "ClientPayloadError"),
        (Reply(drop=True), EngineFailed, "ServerDisconnectedError"),
        (Reply(wait=30), EngineTimedOut, "timeout"),
        (Reply("滴答" * 40, pieces=1, pause=0.05), EngineTimedOut, "timeout"),
    ],
)
async def test_every_way_to_fail_has_its_name(reply: Reply, error: type[EngineFailed], code: str) -> None:
    with pytest.raises(EngineFailed) as failure:
        await pieces(reply)

    assert (type(failure.value), failure.value.code) == (error, code)


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    model = ChatModel("m", base_url="http://127.0.0.1:1/v1")

    with pytest.raises(EngineFailed, match="ClientConnectorError"):
        [piece async for piece in model.ask(QUESTION)]
    await model.close()


async def test_a_model_that_never_stops_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST", 2000)

    with pytest.raises(EngineFailed, match="too_long"):
        await pieces(Reply("啊" * 2000))


async def test_a_model_that_takes_no_tools_is_asked_without_them_from_then_on() -> None:
    def script(asked: Asked) -> Reply:
        return Reply(status=400) if asked.tools else Reply("好")

    async with Scripted(script) as server:
        model = ChatModel("m", base_url=server.url)
        with capture_logs():
            first = [piece async for piece in model.ask(QUESTION)]
        second = [piece async for piece in model.ask(QUESTION)]
        await model.close()

    assert first == second == [Words("好"), Spent(7, 5)]
    assert [asked.tools for asked in server.asked] == [["look"], [], []]


async def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    replies = [Reply("一"), Reply(drop=True), Reply("二")]
    async with Scripted(lambda asked: replies.pop(0)) as server:
        model = ChatModel("m", base_url=server.url)
        said = [(await anext(aiter(model.ask(QUESTION)))) for _ in range(2)]
        await model.close()

    assert said == [Words("一"), Words("二")]


@pytest.mark.parametrize(("after", "times"), [("0", 2), ("3600", 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 1)])
async def test_a_server_that_asks_for_a_little_patience_is_asked_again(after: str, times: int) -> None:
    async with Scripted(lambda asked: Reply(status=429, retry_after=after)) as server:
        model = ChatModel("m", base_url=server.url)
        with pytest.raises(EngineFailed, match="429"):
            [piece async for piece in model.ask(QUESTION)]
        await model.close()

    assert len(server.asked) == times


async def test_half_a_character_in_the_question_does_no_harm() -> None:
    found, asked = await pieces(Reply("好"), request=Request((Message("user", "半\ud800个"),)))

    assert found[0] == Words("好")
    assert asked[0].question == "半?个"


async def test_the_key_travels_in_its_header_and_openai_is_given_its_newer_names() -> None:
    seen: list[tuple[str | None, list[str]]] = []

    async def chat(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Authorization"), sorted(await request.json())))
        return web.json_response({"choices": [{"message": {"content": "好"}, "finish_reason": "stop"}]})

    app = web.Application()
    app.router.add_post("/chat/completions", chat)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    model = ChatModel("m", base_url=f"http://127.0.0.1:{runner.addresses[0][1]}", api_key="sk-1", fresh=True)
    [piece async for piece in model.ask(Request(QUESTION.messages))]
    await model.close()
    await runner.cleanup()

    assert seen == [("Bearer sk-1", ["max_completion_tokens", "messages", "model", "stream", "stream_options"])]
