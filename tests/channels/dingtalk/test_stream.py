"""The stream connection against a simulated gateway."""

import asyncio
import json
import time
from typing import Literal

import pytest

from channels.dingtalk import frames
from hub.errors import Unreadable
from hub.message import Text
from tests.channels.callback import until
from tests.channels.dingtalk.conftest import Make


async def test_a_message_is_stored_and_then_acknowledged(world: Make) -> None:
    w = await world()
    async with w.running():
        ack = await w.platform.gateway.push(w.platform.message("怎么出差？"))

    assert ack is not None
    assert ack["code"] == 200
    assert [m.parts for m in w.inbox.messages] == [(Text("怎么出差？"),)]
    assert {"type": "CALLBACK", "topic": frames.TOPIC} in w.platform.gateway.subscriptions


async def test_what_could_not_be_stored_is_not_acknowledged(world: Make) -> None:
    w = await world()
    async with w.running():
        w.inbox.broken = True
        ack = await w.platform.gateway.push(w.platform.message("怎么出差？"), within=0.3)

    assert ack is None


async def test_a_message_that_is_pushed_again_is_the_same_message(world: Make) -> None:
    w = await world()
    message = w.platform.message("怎么出差？")
    async with w.running():
        acks = [await w.platform.gateway.push(message) for _ in range(2)]

    assert all(acks)
    assert len(w.inbox.messages) == 1


@pytest.mark.parametrize("odd", ["{}", "[]", '"text"', "null", "{not json", '{"msgtype": "text"}'])
async def test_rubbish_is_acknowledged_and_does_no_harm(world: Make, odd: str) -> None:
    w = await world()
    async with w.running():
        ack = await w.platform.gateway.frame("CALLBACK", frames.TOPIC, odd)
        after = await w.platform.gateway.push(w.platform.message("还在吗？"))

    assert ack is not None
    assert ack["code"] == 200
    assert after is not None


async def test_a_message_for_another_robot_is_left_alone(world: Make) -> None:
    w = await world()
    async with w.running():
        ack = await w.platform.gateway.push(w.platform.message("你好", robotCode="other"))

    assert ack is not None
    assert w.inbox.messages == []


async def test_a_ping_gets_its_opaque_back(world: Make) -> None:
    w = await world()
    async with w.running():
        ack = await w.platform.gateway.frame("SYSTEM", "ping", '{"opaque": "abc"}')

    assert ack is not None
    assert json.loads(ack["data"]) == {"opaque": "abc"}


async def test_an_event_is_acknowledged_with_a_status(world: Make) -> None:
    w = await world()
    async with w.running():
        ack = await w.platform.gateway.frame("EVENT", "*", '{"userId": ["u"]}')

    assert ack is not None
    assert json.loads(ack["data"]) == {"status": "SUCCESS"}


async def test_a_topic_that_nobody_asked_for_is_not_taken(world: Make) -> None:
    w = await world()
    async with w.running():
        ack = await w.platform.gateway.frame("CALLBACK", "/v1.0/other", "{}")

    assert ack is not None
    assert ack["code"] == 404


async def test_a_slow_store_stops_neither_pings_nor_other_messages(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = await world()
    taken, free = w.inbox.accept, asyncio.Event()

    async def slowly(message: object) -> object:
        if not free.is_set():
            await free.wait()
        return await taken(message)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(w.inbox, "accept", slowly)
    async with w.running():
        stuck = asyncio.create_task(w.platform.gateway.push(w.platform.message("一")))
        await asyncio.sleep(0)
        ping = await w.platform.gateway.frame("SYSTEM", "ping", "{}", within=1)
        free.set()

        assert ping is not None
        assert await stuck is not None


async def test_the_next_connection_is_open_before_the_announced_end(world: Make) -> None:
    w = await world()
    gateway = w.platform.gateway
    async with w.running():
        await gateway.announce_end()
        async with asyncio.timeout(20):
            await gateway.until(1)
        old, new = gateway.connections
        still_open = not old.closed
        await gateway.drop(old, how="clean")
        ack = await gateway.push(w.platform.message("断开之后"))

    assert still_open
    assert new is not old
    assert ack is not None
    assert gateway.broken == []


async def test_what_was_under_way_over_the_leaving_connection_is_still_taken(world: Make) -> None:
    w = await world()
    gateway = w.platform.gateway
    async with w.running():
        old = gateway.connections[0]
        await gateway.announce_end()
        old.leaving = False
        ack = await gateway.push(w.platform.message("断开之前"))

    assert ack is not None


async def test_a_connection_that_should_end_and_does_not_is_left(world: Make) -> None:
    w = await world(leaving=0.2)
    gateway = w.platform.gateway
    async with w.running():
        await gateway.announce_end()
        async with asyncio.timeout(20):
            while not gateway.connections[0].closed:
                await gateway.changed.wait()


@pytest.mark.parametrize("how", ["clean", "abrupt"])
async def test_a_lost_connection_comes_back_with_a_fresh_ticket(world: Make, how: Literal["clean", "abrupt"]) -> None:
    w = await world()
    async with w.running():
        await w.platform.gateway.drop(w.platform.gateway.connections[0], how=how)
        async with asyncio.timeout(20):
            await w.platform.gateway.until(1, opens=2)
        ack = await w.platform.gateway.push(w.platform.message("重连之后"))

    assert ack is not None
    assert w.platform.gateway.broken == []


@pytest.mark.parametrize("how", ["clean", "abrupt"])
async def test_while_every_connection_ends_at_once_the_pauses_grow(
    world: Make, how: Literal["clean", "abrupt"]
) -> None:
    w = await world(reconnect_first=0.1, reconnect_most=0.4)
    async with w.running():
        w.platform.gateway.at_once = how
        started = time.monotonic()
        await w.platform.gateway.drop(w.platform.gateway.connections[0], how=how)
        async with asyncio.timeout(20):
            await until(lambda: len(w.platform.gateway.opens) >= 5)

    assert time.monotonic() - started >= 0.05 + 0.1 + 0.2


async def test_a_silent_connection_is_replaced(world: Make) -> None:
    w = await world(silence=0.3)
    w.platform.gateway.autoping = False
    async with w.running(), asyncio.timeout(20):
        await w.platform.gateway.until(1, opens=2)


async def test_a_quiet_connection_that_answers_pings_stays(world: Make) -> None:
    w = await world(silence=0.15)
    async with w.running():
        await asyncio.sleep(0.6)

    assert len(w.platform.gateway.opens) == 1


async def test_wrong_credentials_are_told_and_tried_with_patience(world: Make) -> None:
    w = await world(client_id="other", reconnect_first=0.1)
    task = asyncio.create_task(w.channel.run())
    async with asyncio.timeout(20):
        await w.warned.wait()
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert "client_secret" in w.warnings["stream"]
    assert w.platform.calls["/v1.0/gateway/connections/open"] <= 5


async def test_the_warning_is_taken_back_when_the_connection_stands(world: Make) -> None:
    w = await world()
    async with w.running(), asyncio.timeout(20):
        await w.warned.wait()

    assert w.warnings == {"stream": ""}


async def test_an_endpoint_of_a_foreign_host_is_not_followed(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    w = await world()
    monkeypatch.setattr(
        w.platform.gateway, "open", lambda body, host: {"endpoint": "wss://evil.example/", "ticket": "t"}
    )
    task = asyncio.create_task(w.channel.run())
    async with asyncio.timeout(20):
        await w.warned.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert "foreign host" in w.warnings["stream"]


async def test_it_ends_promptly_and_leaves_nothing_running(world: Make) -> None:
    w = await world()
    before = asyncio.all_tasks()
    async with w.running() as task:
        task.cancel()
        async with asyncio.timeout(20):
            await asyncio.gather(task, return_exceptions=True)

    assert {t for t in asyncio.all_tasks() - before if "TestServer" in repr(t)} == set()
    assert task.cancelled()


async def test_a_webhook_channel_holds_no_connection(world: Make) -> None:
    w = await world(transport="webhook")
    await w.channel.run()

    assert w.platform.gateway.opens == []


async def test_two_replicas_hold_one_connection(world: Make) -> None:
    w = await world()
    other = type(w.channel)(w.channel.settings, w.channel.site)
    async with w.running():
        task = asyncio.create_task(other.run())
        await asyncio.sleep(0.1)
        count = len(w.platform.gateway.live)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert count == 1


@pytest.mark.parametrize("odd", ["", "[]", "null", "{}", '{"type": "NEW"}', '{"type": "EVENT", "headers": 5}'])
def test_what_is_no_frame_is_unreadable(odd: str) -> None:
    with pytest.raises(Unreadable):
        frames.read(odd)
