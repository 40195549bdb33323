"""The bot over its long connection."""

import asyncio
import time
from datetime import timedelta

import pytest

from channels.simulators.wecom_bot import event, text
from channels.simulators.wecom_bot.gateway import Shown
from channels.wecom_bot.payload import stream_id
from config import Secret
from hub.errors import Closed, Faulty, Unknown
from hub.message import InboundMessage, Receipt, Text
from hub.texts import texts
from tests.channels.wecom_bot.conftest import Make, World

WORDS = texts("zh")


async def asked(w: World, words: str = "几点开门", *, group: str = "") -> tuple[InboundMessage, Shown]:
    """A message that was taken, and the stream that was begun for it."""
    said = text(words, group=group)
    await w.gateway.say(said)
    name = stream_id(said["msgid"])
    async with asyncio.timeout(20):
        await w.gateway.until(lambda: name in w.gateway.streams)
    return w.inbox.messages[-1], w.gateway.streams[name]


async def until(w: World, stream: Shown, content: str) -> None:
    async with asyncio.timeout(20):
        await w.gateway.until(lambda: stream.states[-1] == content)


async def test_an_answer_is_pushed_while_it_grows_and_then_whole(linked: World) -> None:
    w = linked
    async with w.connected():
        message, stream = await asked(w)
        live = await w.live(message)
        for words in ("九", "九点"):
            await live.grow(words)
            await until(w, stream, words)
        await live.close()
        receipt = await w.sending(message, "九点开门")

    assert stream == Shown(["", "九", "九点", "九点开门"], finished=True)
    assert receipt == Receipt(stream_id(message.key))
    assert message.parts == (Text("几点开门"),)
    assert w.gateway.broken == []


async def test_changes_are_skipped_and_never_overlap(linked: World) -> None:
    w = linked
    async with w.connected():
        message, stream = await asked(w)
        live = await w.live(message)
        for count in range(1, 201):
            await live.grow("字" * count)
            await asyncio.sleep(0.001)
        await live.close()
        await w.sending(message, "字" * 201)

    assert 3 <= len(stream.states) < 100  # of 201: a busy machine takes longer, and shows more of them
    assert stream.states == sorted(stream.states, key=len)
    assert w.gateway.broken == []


async def test_the_same_message_again_begins_nothing(linked: World) -> None:
    w, said = linked, text("几点开门")
    async with w.connected():
        await w.gateway.say(said)
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: w.gateway.streams)
        await w.gateway.say(said)
        await asked(w, "另一问")

    assert [len(stream.states) for stream in w.gateway.streams.values()] == [1, 1]
    assert len(w.inbox.messages) == 2


async def test_who_says_something_that_can_not_be_stored_is_told(linked: World) -> None:
    w = linked
    async with w.connected():
        w.inbox.broken = True
        said = text("几点开门")
        await w.gateway.say(said)
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: w.gateway.streams)

    assert w.gateway.streams[stream_id(said["msgid"])] == Shown([WORDS.failed], finished=True)


async def test_rubbish_does_no_harm(linked: World) -> None:
    w = linked
    async with w.connected():
        for odd in ({}, {"msgtype": "text"}, {"msgtype": "event"}, {"msgtype": "text", "from": 5, "msgid": "1"}):
            await w.gateway.say(odd)
        assert w.gateway.current is not None
        for raw in ("", "[]", "null", "{}", '{"headers": {"req_id": []}}'):
            await w.gateway.current.send_str(raw)
        message, _ = await asked(w)

    assert w.inbox.messages == [message]


async def test_who_opens_the_chat_is_welcomed(linked: World) -> None:
    w = linked
    async with w.connected():
        await w.gateway.say(event("enter_chat"))
        await w.gateway.say(event("feedback_event"))
        await asked(w)

    assert w.gateway.welcomes == [WORDS.welcome]


@pytest.mark.parametrize("group", ["", "CHAT1"])
async def test_what_has_no_stream_any_more_is_a_message_of_its_own(linked: World, group: str) -> None:
    w = linked
    async with w.connected():
        message, _ = await asked(w, group=group)
        w.late = timedelta(seconds=351)
        await w.sending(message)
        w.late = timedelta()
        await w.sending(message, "余下", first=False)
        await w.sending(message, "消息", context="", reply_to="")

    assert w.gateway.sent == [(group or "ming", words) for words in ("答案", "余下", "消息")]


@pytest.mark.parametrize("seconds", [0.0])
async def test_a_stream_that_wecom_ended_is_followed_by_a_message(linked: World, seconds: float) -> None:
    w = linked
    async with w.connected():
        message, stream = await asked(w)
        w.gateway.stream_seconds = seconds - 1
        await w.sending(message)

    assert w.gateway.sent == [("ming", "答案")]
    assert not stream.finished


async def test_after_a_restart_the_stream_is_finished_by_its_message(linked: World) -> None:
    w = linked
    async with w.connected():
        message, stream = await asked(w)
        live = await w.live(message)
        await live.grow("九")
        await until(w, stream, "九")
        await live.close()
    w.restarted()
    async with w.connected():
        await w.sending(message, "九点开门", retry=True)

    assert (stream.states[-1], stream.finished) == ("九点开门", True)


async def test_before_wecom_ends_a_stream_it_is_ended_politely(world: Make) -> None:
    keys = {"transport": "websocket", "bot_id": "BOT", "secret": Secret("bot-secret")}
    w = await world(**keys, stream_seconds=0.3)
    async with w.connected():
        message, stream = await asked(w)
        live = await w.live(message)
        await live.grow("九")
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: stream.finished)
        await live.grow("九点")
        await live.close()
        await w.sending(message, "九点开门")

    assert stream.states[-1] == f"九\n\n{WORDS.later}"
    assert w.gateway.sent == [("ming", "九点开门")]
    assert w.gateway.broken == []


async def test_a_turn_that_says_nothing_ends_its_stream(linked: World) -> None:
    w = linked
    async with w.connected():
        message, stream = await asked(w)
        live = await w.live(message)
        await live.close()
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: stream.finished)
        await w.sending(message, "还是有话说")

    assert stream.states[-1] == WORDS.received
    assert w.gateway.sent == [("ming", "还是有话说")]


async def test_without_a_connection_an_answer_is_for_another_try(linked: World) -> None:
    w = linked
    async with w.connected():
        message, _ = await asked(w)

    with pytest.raises(Faulty):
        await w.sending(message)


async def test_what_is_not_acknowledged_may_have_arrived(world: Make) -> None:
    keys = {"transport": "websocket", "bot_id": "BOT", "secret": Secret("bot-secret")}
    w = await world(**keys, ack_seconds=0.1)
    async with w.connected():
        message, _ = await asked(w)
        w.gateway.mute = True

        with pytest.raises(Unknown):
            await w.sending(message)


async def test_an_answer_is_not_waited_for_when_the_connection_is_lost(linked: World) -> None:
    w = linked
    async with w.connected():
        message, _ = await asked(w)
        w.gateway.mute = True
        sending = w.sending(message)
        await asyncio.sleep(0.02)
        assert w.gateway.current is not None
        await w.gateway.current.close()

        with pytest.raises(Unknown):
            await sending


@pytest.mark.parametrize(("code", "error"), [(45009, Faulty), (40058, Closed)])
async def test_a_refused_message_says_what_to_do(linked: World, code: int, error: type[Exception]) -> None:
    w = linked
    async with w.connected():
        message, _ = await asked(w)
        w.gateway.errcodes["aibot_send_msg"] = code

        with pytest.raises(error):
            await w.sending(message, first=False)


async def test_a_lost_connection_comes_back(linked: World) -> None:
    w = linked
    async with w.connected():
        assert w.gateway.current is not None
        await w.gateway.current.close()
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: w.gateway.current and len(w.gateway.opens) == 2)
        await asked(w)

    assert w.warnings == {"connection": ""}


async def test_while_every_connection_ends_at_once_the_pauses_grow(world: Make) -> None:
    keys = {"transport": "websocket", "bot_id": "BOT", "secret": Secret("bot-secret")}
    w = await world(**keys, reconnect_first=0.1, reconnect_most=0.4)
    w.gateway.at_once = True
    started = time.monotonic()
    task = asyncio.create_task(w.channel.run())
    async with asyncio.timeout(20):
        await w.gateway.until(lambda: len(w.gateway.opens) >= 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert time.monotonic() - started >= 0.05 + 0.1 + 0.2


async def test_a_bot_that_was_displaced_does_not_come_back(linked: World) -> None:
    w = linked
    async with w.connected() as task:
        await w.gateway.displace()
        async with asyncio.timeout(20):
            await task

    assert len(w.gateway.opens) == 1
    assert "took over" in w.warnings["connection"]


async def test_a_refused_secret_is_told_and_not_tried_again_soon(world: Make) -> None:
    w = await world(transport="websocket", bot_id="BOT", secret=Secret("other"))
    task = asyncio.create_task(w.channel.run())
    async with asyncio.timeout(20):
        await w.gateway.until(lambda: w.gateway.opens)
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert len(w.gateway.opens) == 1
    assert "secret" in w.warnings["connection"]


async def test_a_connection_that_answers_no_pings_is_replaced(world: Make) -> None:
    keys = {"transport": "websocket", "bot_id": "BOT", "secret": Secret("bot-secret")}
    w = await world(**keys, ping_seconds=0.05, ack_seconds=0.05)
    async with w.connected():
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: w.gateway.pings >= 2)
        w.gateway.mute = True
        async with asyncio.timeout(20):
            await w.gateway.until(lambda: len(w.gateway.opens) >= 2)


async def test_it_ends_promptly(linked: World) -> None:
    async with linked.connected() as task:
        task.cancel()
        async with asyncio.timeout(20):
            await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()


async def test_two_replicas_hold_one_connection(linked: World) -> None:
    other = type(linked.channel)(linked.channel.settings, linked.channel.site)
    async with linked.connected():
        task = asyncio.create_task(other.run())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert len(linked.gateway.opens) == 1


async def test_a_bot_with_a_connection_has_no_callback(linked: World) -> None:
    assert list(linked.channel.routes()) == []
