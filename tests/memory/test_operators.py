"""People take over by the hub's API, over a real server, and are called by a webhook that may be down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import select

from hub import web as pages
from hub.errors import Closed
from memory import audit
from memory.mind import Mind
from memory.operators import Desk, Form, Webhook
from memory.store import open_store
from memory.tables import audit as audit_table
from memory.tables import conversations
from tests.hub.stage import Stage, migrated, stage
from tests.memory.world import World

TOKEN = "operators-token"
WRONG = ("", "Bearer ", "Bearer wrong", f"bearer {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer ü")


@asynccontextmanager
async def served(*routes: web.RouteDef) -> AsyncIterator[str]:
    """These routes on a free port; the address."""
    app = web.Application(middlewares=[pages.errors])
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Office:
    """A hub in which people can take over, and an operator's client."""

    hub: Stage
    http: aiohttp.ClientSession
    place: int = 1

    async def call(self, method: str, path: str, *, token: str = f"Bearer {TOKEN}", **how: Any) -> tuple[int, Any]:
        async with self.http.request(method, path, headers={"Authorization": token}, **how) as response:
            body = await response.json() if response.content_type == "application/json" else await response.text()
            return response.status, body


async def _silent(place: int, text: str) -> bool:
    return True


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    await asyncio.to_thread(migrated, tmp_path)
    async with open_store("", tmp_path) as store:
        mind = Mind(store, clock=lambda: datetime.now(UTC), tell=_silent, people=True)
        async with stage(tmp_path, memory=mind) as hub:
            desk = Desk(hub.store, token=TOKEN, tell=hub.gateway.tell, clock=lambda: datetime.now(UTC))
            async with served(*desk.routes()) as url, aiohttp.ClientSession(url) as http:
                yield Office(hub, http)


async def test_without_the_token_nobody_reads_or_says_anything(office: Office) -> None:
    await office.hub.say("秘密的话")
    await office.hub.settled()
    for path, method in (
        ("", "GET"),
        ("/1", "GET"),
        ("/1/replies", "POST"),
        ("/1/return", "POST"),
    ):
        for token in WRONG:
            status, body = await office.call(method, f"/api/conversations{path}", token=token)
            assert (status, body) == (403, "refused\n")

    assert office.hub.channel.texts == ["echo:秘密的话"]


def test_with_no_token_configured_there_is_no_api() -> None:
    assert Desk(None, token="", tell=_silent, clock=datetime.now).routes() == []  # type: ignore[arg-type]  # unused


async def test_a_handed_over_conversation_waits_and_an_operators_words_reach_the_person(office: Office) -> None:
    await office.hub.say("转人工")
    await office.hub.settled()
    assert await office.call("GET", "/api/conversations") == (
        200,
        [{"conversation": 1, "channel": "main", "why": "asked for"}],
    )
    status, _ = await office.call("POST", "/api/conversations/1/replies", json={"text": "您好，我是小王"})
    await office.hub.settled()

    assert status == 202
    assert office.hub.channel.texts[-1] == "您好，我是小王"
    _, said = await office.call("GET", "/api/conversations/1")
    assert [(one["by"], one["text"]) for one in said] == [
        ("person", "转人工"),
        ("hub", office.hub.channel.texts[0]),
        ("hub", "您好，我是小王"),
    ]


async def test_the_agent_is_silent_until_the_conversation_is_handed_back(office: Office) -> None:
    for words in ("转人工", "在吗"):
        await office.hub.say(words)
        await office.hub.settled()
    assert "echo:在吗" not in office.hub.channel.texts
    status, _ = await office.call("POST", "/api/conversations/1/return")
    await office.hub.say("在吗")
    await office.hub.settled()

    assert status == 200
    assert office.hub.channel.texts[-1] == "echo:在吗"
    assert await office.call("GET", "/api/conversations") == (200, [])


async def test_what_operators_do_stands_in_the_audit_log_without_their_words(office: Office) -> None:
    await office.hub.say("转人工")
    await office.hub.settled()
    await office.call("POST", "/api/conversations/1/replies", json={"text": "您好"})
    await office.call("POST", "/api/conversations/1/return")
    rows = await office.hub.store.read(lambda c: c.execute(select(audit_table)).all())

    assert [(row.actor, row.act, row.subject, row.detail) for row in rows] == [
        ("operator", "reply", "conversation 1", ""),
        ("operator", "return", "conversation 1", ""),
    ]
    assert await office.hub.store.read(audit.broken) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"text": ""}', b'{"text": 1}', b'{"words": "x"}'])
async def test_a_reply_that_is_none_is_refused(office: Office, body: bytes) -> None:
    await office.hub.say("你好")
    status, _ = await office.call("POST", "/api/conversations/1/replies", data=body)

    assert status == 400


async def test_a_conversation_that_is_not_there_is_not_found(office: Office) -> None:
    assert (await office.call("POST", "/api/conversations/99/replies", json={"text": "x"}))[0] == 404
    assert (await office.call("POST", "/api/conversations/99/return"))[0] == 404
    assert (await office.call("GET", "/api/conversations/x"))[0] == 404


# -- the call


@dataclass
class Robot:
    """A group's robot that takes calls, with a status of its own."""

    status: int = 200
    calls: list[Any] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append(await request.json())
        return web.Response(status=self.status)


async def _called(tmp_path: Path, form: Form, robot: Robot) -> None:
    await asyncio.to_thread(migrated, tmp_path)
    async with (
        open_store("", tmp_path) as store,
        served(web.post("/hook", robot.take)) as url,
        aiohttp.ClientSession() as http,
    ):
        world = World(store)
        await Webhook(http, f"{url}/hook", form).called(await world.accept("oa:lin", "订单丢了"), "asked for")


async def test_any_address_gets_json(tmp_path: Path) -> None:
    robot = Robot()
    await _called(tmp_path, "json", robot)

    assert robot.calls == [{"conversation": 1, "channel": "oa", "why": "asked for", "text": "订单丢了"}]


async def test_the_robots_of_wecom_and_feishu_get_their_own_form(tmp_path: Path) -> None:
    robot = Robot()
    await _called(tmp_path / "wecom", "wecom", robot)
    await _called(tmp_path / "feishu", "feishu", robot)
    wecom, feishu = robot.calls

    assert wecom["msgtype"] == "text"
    assert "订单丢了" in wecom["text"]["content"]
    assert feishu["msg_type"] == "text"
    assert "订单丢了" in feishu["content"]["text"]


async def test_a_webhook_that_refuses_or_is_down_raises_nothing(tmp_path: Path) -> None:
    robot = Robot(status=500)
    await _called(tmp_path, "json", robot)
    async with open_store("", tmp_path) as store, aiohttp.ClientSession() as http:
        stored = await World(store, count=5).accept("oa:lin", "在吗")
        await Webhook(http, "http://127.0.0.1:1/hook", "json").called(stored, "asked for")

    assert len(robot.calls) == 1


async def test_asking_for_a_person_calls_once_and_an_agent_that_hands_over_calls_too(tmp_path: Path) -> None:
    from hub.turn import Answer

    robot = Robot()
    await asyncio.to_thread(migrated, tmp_path)
    async with (
        open_store("", tmp_path) as store,
        served(web.post("/hook", robot.take)) as url,
        aiohttp.ClientSession() as http,
    ):
        world = World(store)
        world.mind = Mind(store, clock=lambda: world.now, tell=_silent, operators=Webhook(http, f"{url}/hook", "json"))
        await world.say("oa:lin", "转人工")
        await world.say("oa:lin", "在吗")
        await world.turn("web:v", "投诉", agent=Answer("为您转接", engine="scripted", handover=True))
        handed = await store.read(lambda c: c.execute(select(conversations.c.handed)).scalars().all())

    assert [(call["channel"], call["why"]) for call in robot.calls] == [("oa", "asked for"), ("web", "the agent asked")]
    assert list(handed) == ["asked for", "the agent asked"]


async def test_an_answer_that_reached_nobody_is_listed_with_the_reason(office: Office) -> None:
    office.hub.channel.outcomes += [Closed("the window is over", code="45015"), None]
    await office.hub.say("退款怎么办")
    await office.hub.settled()
    ((status, listed),) = [await office.call("GET", "/api/undelivered")]
    assert (status, [(each["channel"], each["state"], each["why"]) for each in listed]) == (
        200,
        [("main", "kept", "the window is over")],
    )
    await office.hub.say("还在吗")
    await office.hub.settled()

    assert (await office.call("GET", "/api/undelivered"))[1] == []
