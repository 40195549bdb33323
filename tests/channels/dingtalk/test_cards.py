"""An answer that grows in a card, and what becomes of it when something goes wrong."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from channels.dingtalk.payload import decode
from channels.simulators.dingtalk import Fault, Shown
from channels.simulators.dingtalk.cards import Card
from hub.channel import Live
from hub.errors import Faulty, Unknown
from hub.message import InboundMessage, OutboundMessage
from tests.channels.dingtalk.conftest import Make, World

DENIED = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
QPS = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
CREATE, STREAMING = "createAndDeliver", "/card/streaming"


def asked(w: World, **fields: Any) -> InboundMessage:
    message = decode(w.platform.message("问", **fields), w.channel.settings, "dd")
    assert message is not None
    return message


async def opened(w: World, message: InboundMessage) -> Live:
    live = await w.channel.live(message)
    assert live is not None
    return live


async def finished(w: World, message: InboundMessage, handle: str, text: str = "答案", **more: Any) -> None:
    """The final text, as the gateway sends it."""
    known: dict[str, Any] = {"reply_to": message.key, "context": message.context, "live": handle, **more}
    await w.channel.send(OutboundMessage(1, "t1", message.conversation, message.sender, text, 2, **known))


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 — the platform has no event for everything
            await asyncio.sleep(0.005)


async def until_shown(w: World, text: str) -> None:
    await until(lambda: any(text in card.text for card in w.platform.cards.cards.values()))


async def grown(w: World, message: InboundMessage, text: str = "一") -> Live:
    """A live reply that has shown something and will show no more."""
    live = await opened(w, message)
    await live.grow(text)
    await until_shown(w, text)
    await live.close()
    return live


async def refused(w: World, message: InboundMessage) -> Live:
    """A live reply whose card was not taken."""
    live = await opened(w, message)
    await live.grow("一")
    await until(lambda: w.platform.calls["/v1.0/card/instances/createAndDeliver"])
    await live.close()
    return live


def only_card(w: World) -> Card:
    (card,) = w.platform.cards.cards.values()
    return card


@pytest.fixture
async def card_world(world: Make) -> World:
    return await world(card_template_id="template")


@pytest.mark.parametrize("group", ["", "cidgroup="])
async def test_an_answer_grows_in_one_card_and_is_finished(card_world: World, group: str) -> None:
    w, message = card_world, asked(card_world, group=group)
    live = await opened(w, message)
    for text in ("一", "一二", "一二三"):
        await live.grow(text)
        await until_shown(w, text)
    await live.close()
    await finished(w, message, live.handle, "一二三四")
    card = only_card(w)

    assert card.chat == (group or "cidming=")
    assert card.steps == ["一", "一二", "一二三", "一二三四"]
    assert (card.final, card.failed, card.flow) == (True, False, ["2", "3"])
    assert w.platform.shown == []
    assert w.platform.broken == []


async def test_only_the_latest_text_is_shown_and_one_call_at_a_time(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await opened(w, message)
    for count in range(1, 301):
        await live.grow("字" * count)
        await asyncio.sleep(0.001)
    await live.close()
    await finished(w, message, live.handle, "字" * 301)
    card = only_card(w)

    assert 2 <= len(card.steps) < 150  # of 301: a busy machine takes longer, and shows more of them
    assert card.steps == sorted(card.steps, key=len)
    assert w.platform.broken == []


async def test_an_empty_text_shows_the_card_before_there_are_words(card_world: World) -> None:
    w = card_world
    live = await opened(w, asked(w))
    await live.grow("")
    await until(lambda: w.platform.cards.cards)
    await live.close()

    assert (only_card(w).chat, only_card(w).steps, only_card(w).flow) == ("cidming=", [], [])


async def test_an_answer_that_never_grew_is_a_message(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await opened(w, message)
    await live.close()
    await finished(w, message, live.handle)

    assert w.platform.shown == [Shown("cidming=", "session", "答案")]
    assert w.platform.cards.cards == {}


async def test_a_new_process_finishes_the_card_by_its_handle(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await opened(w, message)
    await live.grow("一")
    await until_shown(w, "一")
    w.channel = type(w.channel)(w.channel.settings, w.channel.site)
    await live.close()
    await finished(w, message, live.handle, "一二")

    assert (only_card(w).text, only_card(w).final) == ("一二", True)


async def test_a_turn_that_runs_again_grows_in_the_same_card(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    for text in ("一", "又一"):
        live = await opened(w, message)
        await live.grow(text)
        await until_shown(w, text)
        await live.close()

    assert only_card(w).steps == ["一", "又一"]


async def test_a_finish_that_may_have_arrived_is_not_shown_twice(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await grown(w, message)
    w.platform.faults = [Fault(STREAMING, cut="after"), Fault(STREAMING, cut="before")]  # a PUT is repeated once
    with pytest.raises(Unknown):
        await finished(w, message, live.handle)
    await finished(w, message, live.handle, retry=True)

    assert (only_card(w).final, only_card(w).text, w.platform.shown) == (True, "答案", [])


async def test_a_finish_that_meets_a_fault_is_for_another_try(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await grown(w, message)
    w.platform.faults = [Fault(STREAMING, status=503)]
    with pytest.raises(Faulty):
        await finished(w, message, live.handle)
    await finished(w, message, live.handle)

    assert (only_card(w).final, w.platform.shown) == (True, [])


@pytest.mark.parametrize(
    "fault", [Fault(CREATE, status=403, code=DENIED), Fault(CREATE, status=400, code="param.error")]
)
async def test_without_a_card_the_answer_is_a_message(card_world: World, fault: Fault) -> None:
    w, message = card_world, asked(card_world)
    w.platform.faults = [fault]
    live = await refused(w, message)
    await finished(w, message, live.handle)

    assert w.platform.shown == [Shown("cidming=", "session", "答案")]


async def test_after_a_refused_permission_no_card_is_tried_for_a_while(card_world: World) -> None:
    w = card_world
    w.platform.faults = [Fault(CREATE, status=403, code=DENIED)]
    await refused(w, asked(w))

    assert await w.channel.live(asked(w)) is None
    assert DENIED in w.warnings["cards"]


async def test_an_answer_is_not_written_into_a_card_that_nobody_sees(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    w.platform.chats.clear()
    live = await refused(w, message)
    w.channel = type(w.channel)(w.channel.settings, w.channel.site)
    await finished(w, message, live.handle)

    assert only_card(w).chat == ""
    assert w.platform.shown == [Shown("cidming=", "session", "答案")]


async def test_a_change_that_is_refused_for_frequency_comes_later(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await opened(w, message)
    w.platform.faults = [Fault(STREAMING, times=2, status=403, code=QPS)]
    await live.grow("一")
    await until_shown(w, "一")
    await live.close()
    w.platform.faults = [Fault(STREAMING, times=2, status=403, code=QPS)]
    await finished(w, message, live.handle)

    assert (only_card(w).final, only_card(w).text, w.platform.shown) == (True, "答案", [])


async def test_a_change_that_was_lost_does_not_end_the_growing(card_world: World) -> None:
    w = card_world
    live = await opened(w, asked(w))
    w.platform.faults = [Fault(STREAMING, status=503)]
    async with asyncio.timeout(20):
        while not w.platform.cards.cards or not only_card(w).steps:
            await live.grow("一")
            await asyncio.sleep(0.01)
    await live.close()

    assert only_card(w).steps == ["一"]


async def test_a_card_that_takes_no_answer_says_where_it_is(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await grown(w, message)
    w.platform.faults = [Fault(STREAMING, status=400, code="param.content.tooLong")]
    await finished(w, message, live.handle)
    card = only_card(w)

    assert w.platform.shown == [Shown("cidming=", "session", "答案")]
    assert (card.final, card.failed, card.text, card.flow[-1]) == (True, True, "内容见下一条消息。", "5")


async def test_the_last_look_of_a_card_is_not_worth_a_second_answer(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await grown(w, message)
    w.platform.faults = [Fault("/card/instances", times=9, status=500)]
    await finished(w, message, live.handle)

    assert (only_card(w).final, w.platform.shown) == (True, [])


async def test_after_the_end_nothing_grows(card_world: World) -> None:
    w, message = card_world, asked(card_world)
    live = await grown(w, message)
    await live.grow("一二")
    await live.close()

    assert "一二" not in only_card(w).steps


async def test_people_without_staff_id_get_no_card(card_world: World) -> None:
    assert await card_world.channel.live(asked(card_world, senderStaffId=None)) is None


async def test_without_a_template_there_are_no_cards(world: Make) -> None:
    w = await world()

    assert await w.channel.live(asked(w)) is None
