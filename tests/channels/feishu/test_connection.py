"""The long connection: acknowledged when stored, opened again with patience, ended at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import pytest

from channels.feishu.connection import open_endpoint
from channels.simulators.feishu import mention
from hub.coordination.local import local
from hub.errors import Faulty
from hub.message import InboundMessage
from tests.channels.feishu.conftest import Make, World
from tests.channels.feishu.messages import ACCOUNT
from tests.fakes import FakeInbox, FakeTicket


@asynccontextmanager
async def connected(w: World) -> AsyncIterator[asyncio.Task[None]]:
    """The channel's long connection, open."""
    task = asyncio.create_task(w.channel.run())
    try:
        await w.until(lambda: w.platform.gateway.connections)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def live(world: Make, **changed: Any) -> World:
    return await world(transport="websocket", **changed)


async def test_an_event_is_stored_and_acknowledged(world: Make) -> None:
    w = await live(world)
    async with connected(w):
        ack = await w.platform.gateway.push(ACCOUNT.message("你好"))

    assert ack is not None
    assert (ack.code, ack.answer) == (200, None)
    assert [m.text for m in w.inbox.messages] == ["你好"]


async def test_an_event_in_pieces_is_put_together(world: Make) -> None:
    w = await live(world)
    async with connected(w):
        ack = await w.platform.gateway.push(ACCOUNT.message("你好" * 100), pieces=7)

    assert ack is not None
    assert [m.text for m in w.inbox.messages] == ["你好" * 100]


async def test_what_can_not_be_stored_is_not_acknowledged_with_200(world: Make) -> None:
    w = await live(world)
    w.inbox.broken = True
    async with connected(w):
        ack = await w.platform.gateway.push(ACCOUNT.message("你好"))

    assert ack is not None
    assert ack.code == 500


class SlowInbox(FakeInbox):
    """Takes one message only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()

    async def accept(self, message: InboundMessage) -> FakeTicket:
        if message.text == "慢":
            await self.let.wait()
        return await super().accept(message)


class BrokenInbox(FakeInbox):
    """Fails in a way that nobody thought of."""

    async def accept(self, message: InboundMessage) -> FakeTicket:
        if message.text == "坏了":
            raise ZeroDivisionError
        return await super().accept(message)


async def test_nothing_is_acknowledged_before_it_is_stored_and_nobody_waits_for_it(world: Make) -> None:
    w = await live(world)
    inbox = SlowInbox()
    w.channel.site = replace(w.channel.site, inbox=inbox)
    async with connected(w):
        slow = asyncio.create_task(w.platform.gateway.push(ACCOUNT.message("慢")))
        quick = await w.platform.gateway.push(ACCOUNT.message("快"))
        assert quick is not None
        assert not slow.done()
        inbox.let.set()
        assert (await slow) is not None


async def test_events_of_no_use_and_unreadable_ones_are_acknowledged_once_and_for_all(world: Make) -> None:
    w = await live(world)
    async with connected(w):
        useless: list[object] = [{}, {"schema": "2.0"}, ACCOUNT.event("no.such.event_v9", {}), [], {"header": 1}]
        for event in useless:
            ack = await w.platform.gateway.push(event)
            assert ack is not None
            assert ack.code == 200


@pytest.mark.parametrize("kind", ["event", "card"])
async def test_a_click_is_answered_with_a_toast(world: Make, kind: str) -> None:
    w = await live(world)
    async with connected(w):
        ack = await w.platform.gateway.push(ACCOUNT.click({"say": "是"}, message="om_1", chat="oc_ming"), kind=kind)

    assert ack is not None
    assert ack.answer["toast"]["type"] == "success"
    assert w.inbox.messages[0].text == "是"


async def test_a_mention_is_known_over_the_long_connection_too(world: Make) -> None:
    w = await live(world)
    async with connected(w):
        event = ACCOUNT.message("@_user_1 x", group=True, mentions=[mention(1, ACCOUNT.bot, "Helper")])
        await w.platform.gateway.push(event)

    assert [m.addressed for m in w.inbox.messages] == [True]


async def test_rubbish_ends_no_connection(world: Make) -> None:
    w = await live(world)
    async with connected(w):
        (ws, _) = next(iter(w.platform.gateway.connections.values()))
        for rubbish in (b"", b"\xff" * 50, b"\x08\x01", bytes(range(256))):
            await ws.send_bytes(rubbish)
        ack = await w.platform.gateway.push(ACCOUNT.message("还在"))

    assert ack is not None
    assert len(w.platform.gateway.opened) == 1


@pytest.mark.parametrize("how", ["abrupt", "clean"])
async def test_a_lost_connection_is_opened_again_with_a_fresh_ticket(
    world: Make, how: Literal["abrupt", "clean"]
) -> None:
    w = await live(world)
    async with connected(w):
        await w.platform.gateway.drop(how=how)
        await w.until(lambda: len(w.platform.gateway.opened) == 2 and w.platform.gateway.connections)
        ack = await w.platform.gateway.push(ACCOUNT.message("又来了"))

    assert ack is not None
    assert not w.platform.broken


async def test_what_comes_again_after_a_reconnect_is_the_same_message(world: Make) -> None:
    w = await live(world)
    event = ACCOUNT.message("你好")
    async with connected(w):
        await w.platform.gateway.push(event)
        await w.platform.gateway.drop()
        await w.until(lambda: len(w.platform.gateway.opened) == 2 and w.platform.gateway.connections)
        await w.platform.gateway.push(event)

    assert len(w.inbox.messages) == 1


@pytest.mark.parametrize("how", ["abrupt", "clean"])
async def test_connections_that_end_at_once_are_opened_with_growing_pauses(
    world: Make, how: Literal["abrupt", "clean"]
) -> None:
    w = await live(world, reconnect_first=0.04, reconnect_most=0.16)
    w.platform.gateway.at_once = how
    async with connected(w):
        await w.until(lambda: len(w.platform.gateway.opened) == 5)

    times = w.platform.gateway.opened
    assert times[4] - times[0] >= (0.04 + 0.08 + 0.16 + 0.16) / 2


async def test_while_feishu_is_busy_we_wait_and_the_operator_is_told(world: Make) -> None:
    w = await live(world)
    w.platform.gateway.busy = True
    task = asyncio.create_task(w.channel.run())
    await w.until(lambda: w.platform.calls["POST /callback/ws/endpoint"] == 2)
    warned = w.warnings["connection"]
    w.platform.gateway.busy = False
    await w.until(lambda: w.platform.gateway.connections and not w.warnings["connection"])
    task.cancel()

    assert "names no address" in warned


async def test_a_wrong_secret_is_told_and_not_tried_in_haste(world: Make) -> None:
    w = await live(world)
    w.platform.account.app_secret = "changed"
    task = asyncio.create_task(w.channel.run())
    await w.until(lambda: w.platform.calls["POST /callback/ws/endpoint"] == 1)
    await asyncio.sleep(0.3)
    task.cancel()

    assert w.platform.calls["POST /callback/ws/endpoint"] == 1
    assert "app_secret" in w.warnings["connection"]


async def test_we_ping_as_often_as_feishu_wants(world: Make) -> None:
    w = await live(world)
    w.platform.gateway.ping_interval = 1
    async with connected(w):
        await w.until(lambda: w.platform.gateway.count["ping"] == 2)


async def test_a_connection_that_fell_silent_is_given_up(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.feishu.connection.SLACK", -1.9)
    w = await live(world)
    w.platform.gateway.ping_interval, w.platform.gateway.mute = 1, True
    async with connected(w):
        await w.until(lambda: len(w.platform.gateway.opened) == 2)


async def test_an_address_of_a_foreign_host_is_not_followed(world: Make) -> None:
    w = await live(world)
    w.platform.gateway.host = "evil.example"

    with pytest.raises(Faulty, match="foreign host"):
        await open_endpoint(w.channel.settings, w.http)


async def test_the_end_comes_at_once(world: Make) -> None:
    w = await live(world)
    async with connected(w) as task:
        async with asyncio.timeout(1.5):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_of_two_replicas_one_holds_the_connection_and_the_other_takes_over(world: Make) -> None:
    first = await live(world)
    second = await live(world)
    shared = local()
    for w in (first, second):
        w.channel.site = replace(w.channel.site, coordination=shared)
    async with connected(first) as holding:
        waiting = asyncio.create_task(second.channel.run())
        await asyncio.sleep(0.1)
        assert not second.platform.gateway.connections
        holding.cancel()
        await second.until(lambda: second.platform.gateway.connections)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_the_callback_needs_no_connection(world: Make) -> None:
    w = await world()
    await w.channel.run()

    assert not w.platform.gateway.opened


async def test_lark_oapi_is_not_imported_as_a_whole(world: Make) -> None:
    w = await live(world)
    async with connected(w):
        await w.platform.gateway.push(ACCOUNT.message("你好"))

    assert "lark_oapi" not in sys.modules
    assert not any(name.startswith("lark_oapi.api") for name in sys.modules)


async def test_a_fault_of_ours_is_acknowledged_with_500_and_ends_nothing(world: Make) -> None:
    w = await live(world)
    w.channel.site = replace(w.channel.site, inbox=BrokenInbox())
    async with connected(w):
        failed = await w.platform.gateway.push(ACCOUNT.message("坏了"))
        again = await w.platform.gateway.push(ACCOUNT.message("还在"))

    assert failed is not None
    assert again is not None
    assert (failed.code, again.code) == (500, 200)
