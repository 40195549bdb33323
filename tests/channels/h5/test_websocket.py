"""The protocol over WebSocket."""

import asyncio
from typing import Any

import aiohttp
import pytest

from channels.h5.protocol import LAST
from hub.message import Reply
from hub.person import Identity
from tests.channels.callback import until
from tests.channels.h5.desk import CHOICE, CITED, Desk, site
from tests.channels.h5.page import socket


async def test_a_visitor_is_welcomed_accepted_and_answered() -> None:
    async with site() as (desk, base), socket(base) as page:
        welcome = await page.hello()
        desk.answers["运费？"] = CITED
        reply = await page.ask("运费？")
        accepted = page.events[1]

    assert welcome["type"] == "welcome"
    assert len(welcome["visitor"]) > 40
    assert accepted == {"type": "accepted", "id": "m1", "event": 1, "text": "运费？", "at": accepted["at"]}
    assert reply == {
        "type": "reply",
        "turn": "turn1",
        "reply_to": "m1",
        "event": 2,
        "text": "满 **99 元**免运费[1]。",
        "html": "<p>满 <strong>99 元</strong>免运费[1]。</p>",
        "citations": [
            {"label": "1", "title": "配送说明", "url": "/docs/shipping", "quote": "满九十九元免运费，否则运费为八元。"}
        ],
        "at": reply["at"],
    }


async def test_the_hub_knows_a_visitor_by_a_name_that_is_not_the_token() -> None:
    async with site() as (desk, base), socket(base) as page:
        welcome = await page.hello()
        await page.ask("在吗")
        message = desk.said[0]

    assert message.conversation.id == welcome["conversation"]
    assert message.sender.user.startswith("visitor:")
    assert not {message.sender.user, message.conversation.id, message.key} & {welcome["visitor"]}
    assert message.sender.user.removeprefix("visitor:") not in welcome["visitor"]
    assert message.evidence == ()


async def test_an_answer_grows_by_deltas_without_numbers() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        desk.answers["慢慢说"] = ["从前", "有座山", "。"]
        await page.ask("慢慢说")
        deltas = [e for e in page.events if e["type"] == "delta"]

    assert "".join(e["text"] for e in deltas) == "从前有座山。"
    assert {e["turn"] for e in deltas} == {"turn1"}
    assert all(set(e) == {"type", "turn", "text"} for e in deltas)


async def test_an_answer_that_begins_again_says_so() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        desk.hold.clear()
        await page.message("问")
        await page.next("accepted")
        live = await desk.channel.live(desk.said[0])
        assert live
        shown = []
        for text in ("第一个引擎", "第二个"):
            await live.grow(text)
            shown.append(await page.next())
        await live.close()

    assert shown == [
        {"type": "delta", "turn": "turn1", "text": "第一个引擎"},
        {"type": "delta", "turn": "turn1", "text": "第二个", "anew": True},
    ]


async def test_choices_come_with_the_reply() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        desk.answers["转人工"] = CHOICE
        reply = await page.ask("转人工")

    assert reply["choices"] == [{"label": "好的", "value": "确认"}, {"label": "不用", "value": "取消"}]


async def test_the_same_id_is_the_same_message() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        await page.ask("一次")
        await page.message("一次")
        again = await page.next()

    assert again == page.events[1]
    assert len(desk.said) == 1


async def test_a_message_that_was_erased_since_is_not_asked_for_again() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        await page.ask("忘了它")
        desk.forget()
        await page.message("忘了它")
        again = await page.next()

    assert again == {"type": "accepted", "id": "m1", "event": 0}
    assert len(desk.said) == 1


async def test_the_same_id_of_another_visitor_is_another_message() -> None:
    async with site() as (desk, base), socket(base) as one, socket(base) as other:
        await one.hello()
        await other.hello()
        await one.ask("甲")
        reply = await other.ask("乙")

    assert reply["text"] == "答：乙"
    assert len(desk.said) == 2


async def test_a_ping_is_answered() -> None:
    async with site() as (_, base), socket(base) as page:
        await page.hello()
        await page.say({"type": "ping"})

        assert await page.next() == {"type": "pong"}


async def talked(base: str, count: int) -> tuple[str, list[dict[str, Any]]]:
    """A visitor who asked so many questions: token and stored events."""
    async with socket(base) as page:
        token = (await page.hello())["visitor"]
        for number in range(count):
            await page.ask(f"第{number}问", f"m{number}")
        return token, [e for e in page.events if "event" in e]


@pytest.mark.parametrize("last_event", [0, 1, 3, 5])
async def test_a_page_that_comes_back_is_told_all_that_it_missed_once_and_in_order(last_event: int) -> None:
    async with site() as (_, base):
        token, events = await talked(base, 3)
        async with socket(base) as page:
            await page.hello(token, last_event=last_event)
            for _ in events[last_event:]:
                await page.next()
            await page.say({"type": "ping"})
            await page.next("pong")

    assert page.events[1:-1] == events[last_event:]


async def test_a_number_from_the_future_does_no_harm() -> None:
    async with site() as (_, base):
        token, events = await talked(base, 2)
        for ahead in (5, 10**9, LAST):
            async with socket(base) as page:
                await page.hello(token, last_event=ahead)
                await page.ask("还在吗", f"new{ahead}")
                numbers = [e["event"] for e in page.events if "event" in e]
                events += [e for e in page.events if "event" in e]

                assert numbers == [len(events) - 1, len(events)]


async def test_what_is_said_right_after_the_hello_is_told_whatever_number_was_claimed() -> None:
    async with site() as (desk, base):
        token, _ = await talked(base, 1)
        desk.slow = 0.002
        async with socket(base) as page:
            await page.say({"type": "hello", "visitor": token, "last_event": LAST})
            await page.message("还在吗", "at once")
            await page.next("reply")

    assert [e["event"] for e in page.events if "event" in e] == [3, 4]


async def test_two_open_tabs_see_the_same() -> None:
    async with site() as (_, base), socket(base) as one, socket(base) as two:
        token = (await one.hello())["visitor"]
        await two.hello(token)
        await one.ask("两个标签页")
        await two.next("reply")

    assert one.events[1:] == two.events[1:]


async def test_a_lost_wake_up_costs_a_heartbeat_and_no_event() -> None:
    async with site(heartbeat=0.05) as (desk, base), socket(base) as page:
        await page.hello()
        await page.ask("一")
        conversation = desk.said[0].conversation
        await desk.say(conversation, Reply("悄悄话"), wake=False)
        told = await page.next()

    assert (told["type"], told["text"], told["reply_to"]) == ("reply", "悄悄话", "")


async def test_who_says_no_hello_in_time_is_closed() -> None:
    async with site(hello_within=0.1) as (_, base), socket(base) as page:
        code = await page.closed()

    assert code == 1008
    assert page.events[0]["code"] == "no_hello"


async def test_nothing_works_before_the_hello() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.message("没打招呼")
        told = await page.next()
        welcome = await page.hello()

    assert (told["code"], told["id"]) == ("no_hello", "m1")
    assert welcome["type"] == "welcome"
    assert desk.said == []


async def test_a_second_hello_changes_nobody() -> None:
    async with site() as (_, base), socket(base) as page:
        token = (await page.hello())["visitor"]
        again = await page.hello()
        await page.ask("我是谁")
        async with socket(base) as other:
            await other.hello(token)
            await other.next("reply")

    assert again["code"] == "greeted"


@pytest.mark.parametrize(
    "frame",
    [
        "{not json",
        "42",
        "[]",
        "null",
        "{}",
        '{"type":"no-such-type"}',
        '{"type":["message"]}',
        '{"type":"message","id":"a","text":7}',
        '{"type":"message","id":"b"}',
        '{"type":"message","id":{"a":1},"text":"hi"}',
        '{"type":"message","id":"' + "i" * 101 + '","text":"hi"}',
        '{"type":"message","id":"c","text":"   "}',
        '{"type":"message","id":"s","text":"\\ud800"}',
        '{"type":"message","id":NaN,"text":"hi"}',
        '{"type":"hello","visitor":7,"identity":[],"last_event":"x"}',
        "[" * 20_000 + "]" * 20_000,
    ],
)
async def test_what_can_not_be_read_is_an_error_event_and_nothing_else(frame: str) -> None:
    async with site() as (_, base), socket(base) as page:
        await page.hello()
        await page.say(frame)
        told = await page.next()
        reply = await page.ask("还好吗")

    assert told == {"type": "error", "code": "unreadable", "message": "这条消息的格式不对，无法读取。"}
    assert reply["text"] == "答：还好吗"


async def test_a_binary_frame_is_unreadable() -> None:
    async with site() as (_, base), socket(base) as page:
        await page.hello()
        await page.ws.send_bytes(b'{"type":"ping"}')

        assert (await page.next())["code"] == "unreadable"


async def test_a_text_that_is_too_long_is_refused_by_its_id() -> None:
    async with site(text_characters=10) as (_, base), socket(base, **{"Accept-Language": "en-GB,zh;q=0.5"}) as page:
        await page.hello()
        await page.message("x" * 11)

        assert await page.next() == {
            "type": "error",
            "code": "too_large",
            "message": "This is too long. Please shorten it and send it again.",
            "id": "m1",
        }


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    async with site() as (_, base), socket(base) as page:
        await page.hello()
        await page.message("大" * 65_536)

        assert await page.closed() == 1009


async def test_what_can_not_be_stored_is_an_error_event() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        desk.broken = True
        await page.message("丢了吗")
        told = await page.next()
        desk.broken = False
        await page.ask("丢了吗")

    assert (told["type"], told["code"], told["id"]) == ("error", "not_stored", "m1")


async def test_a_journal_that_can_not_be_read_ends_the_connection_so_that_the_page_comes_again() -> None:
    async with site(heartbeat=0.05) as (desk, base), socket(base) as page:
        await page.hello()
        desk.broken = True

        assert await page.closed() == 1013


async def test_who_speaks_too_fast_is_told_when_to_go_on() -> None:
    async with site(rate=2) as (desk, base), socket(base) as page, socket(base) as other:
        await page.hello()
        await other.hello()
        await page.ask("一", "m1")
        await page.ask("二", "m2")
        await page.message("三", "m3")
        told = await page.next()
        reply = await other.ask("别人")

    assert (told["code"], told["id"]) == ("rate_limited", "m3")
    assert 0 < told["seconds"] <= 61
    assert str(told["seconds"]) in told["message"]
    assert reply["text"] == "答：别人"
    assert len(desk.said) == 3


async def test_an_address_may_say_so_many_times_as_much() -> None:
    async with site(rate=1, address_rate=2) as (_, base):
        told = []
        for _ in range(3):
            async with socket(base) as page:
                await page.hello()
                await page.message("一")
                told.append((await page.next())["type"])

    assert told == ["accepted", "accepted", "error"]


async def test_connections_of_a_visitor_are_bounded() -> None:
    async with site(visitor_connections=1) as (_, base), socket(base) as page, socket(base) as other:
        token = (await page.hello())["visitor"]

        assert (await other.hello(token))["code"] == "crowded"


async def test_connections_of_an_address_are_bounded() -> None:
    async with site(address_connections=1) as (_, base), socket(base):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with socket(base):
                pass

    assert refused.value.status == 429


async def test_a_seat_is_free_again_when_its_connection_ends() -> None:
    async with site(visitor_connections=1) as (_, base):
        async with socket(base) as page:
            token = (await page.hello())["visitor"]
        async with asyncio.timeout(20):
            while True:
                async with socket(base) as page:
                    if (await page.hello(token))["type"] == "welcome":
                        break


async def test_a_stopping_hub_says_that_it_goes_away() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        code, _ = await asyncio.gather(page.closed(), desk.channel.close())
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with socket(base):
                pass

    assert code == 1001
    assert refused.value.status == 503


async def test_tokens_outlive_a_restart() -> None:
    desk = Desk()
    async with site(desk) as (_, base):
        token, events = await talked(base, 1)
    async with site(desk) as (_, base), socket(base) as page:
        await page.hello(token)
        await page.next("reply")

    assert page.events[1:] == events


async def test_a_client_that_does_not_read_is_dropped_and_resumes() -> None:
    async with site(slow=0.2) as (desk, base), socket(base) as page:
        token = (await page.hello())["visitor"]
        await page.ask("一")
        conversation = desk.said[0].conversation
        transport = page.ws._conn and page.ws._conn.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()  # as a phone in a tunnel would
        for _ in range(60):
            await desk.say(conversation, Reply("长" * 100_000))
        await until(lambda: not len(desk.channel._visits.connections))
        transport.resume_reading()
        async with socket(base) as again:
            await again.hello(token, last_event=61)
            reply = await again.next("reply")

    assert reply["event"] == 62


async def test_the_sender_is_the_same_person_in_every_message() -> None:
    async with site() as (desk, base), socket(base) as page:
        await page.hello()
        await page.ask("一", "m1")
        await page.ask("二", "m2")

    assert {m.sender for m in desk.said} == {Identity("web", "", desk.said[0].sender.user)}
