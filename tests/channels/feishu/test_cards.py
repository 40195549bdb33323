"""Cards that grow: in order, not too often, and closed whatever happens."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.feishu.channel import Feishu
from channels.simulators.feishu import Fault, Refused
from channels.simulators.feishu.cards import Card
from hub.channel import Live
from hub.errors import Faulty
from hub.message import Choice, InboundMessage
from tests.channels.feishu.conftest import Make, World

TABLE = "| a | b |\n|---|---|\n| T{n}CELL | 2 |"


async def opened(w: World, text: str = "在吗") -> tuple[InboundMessage, Live]:
    message = await w.ask(text)
    live = await w.channel.live(message)
    assert live is not None
    return message, live


def card_of(w: World) -> Card:
    (card,) = w.platform.cards.cards.values()
    return card


def restarted(w: World) -> Feishu:
    """The channel in another process."""
    return Feishu(w.channel.settings, w.channel.site)


async def test_the_handle_is_known_before_anybody_sees_the_card(world: Make) -> None:
    w = await world()
    _, live = await opened(w)

    assert live.handle
    assert w.shown == []
    await live.grow("")
    await w.until(lambda: w.shown)
    assert (w.shown[0].text, card_of(w).streaming) == ("…", True)
    await live.close()


async def test_an_answer_grows_in_one_card_and_is_closed_whole(world: Make) -> None:
    w = await world()
    message, live = await opened(w)
    for n in range(1, 6):
        await live.grow("好" * n)
        await w.until(lambda n=n: len(card_of(w).steps) >= n)  # type: ignore[misc]  # n is bound at once
    await live.close()
    receipt = await w.channel.send(w.answer(message, "好" * 9, live=live.handle, choices=(Choice("好", "是"),)))
    (shown,) = w.shown

    assert card_of(w).steps == ["好" * n for n in range(1, 6)]
    assert (shown.text.partition("\n")[0], shown.reply_to, shown.id) == ("好" * 9, message.key, receipt.id)
    assert shown.buttons[0]["say"] == "是"
    assert not card_of(w).streaming
    assert not w.platform.broken


async def test_only_the_latest_text_counts_and_ten_changes_a_second_are_the_most(world: Make) -> None:
    w = await world(card_interval=0.11)
    message, live = await opened(w)
    began = time.monotonic()
    for n in range(1, 200):
        await live.grow("x" * n)
        await asyncio.sleep(0.005)
    await live.close()
    took = time.monotonic() - began
    await w.channel.send(w.answer(message, "完", live=live.handle))

    assert 3 <= len(card_of(w).steps) <= took / 0.11 + 3
    assert w.shown[0].text == "完"
    assert not w.platform.broken


async def test_an_answer_that_is_there_at_once_needs_no_growing_card(world: Make) -> None:
    w = await world()
    message, live = await opened(w)
    await live.close()
    before = w.platform.calls.total()
    await w.channel.send(w.answer(message, "马上", live=live.handle))

    assert [(s.text, s.reply_to, s.entity) for s in w.shown] == [("马上", message.key, None)]
    assert w.platform.calls.total() - before == 1


async def test_after_a_crash_no_card_is_shown_beside_an_answer_that_was_sent_without_it(world: Make) -> None:
    w = await world()
    message, live = await opened(w)
    answer = w.answer(message, "马上", live=live.handle)
    await w.channel.send(answer)
    await restarted(w).send(replace(answer, retry=True))

    assert [s.text for s in w.shown] == ["马上"]


@pytest.mark.parametrize("grown", [True, False])
async def test_after_a_crash_the_card_is_brought_to_its_whole_text(world: Make, grown: bool) -> None:
    w = await world()
    message, live = await opened(w)
    if grown:
        await live.grow("写到一半")
        await w.until(lambda: card_of(w).steps)
    await live.close()
    await restarted(w).send(w.answer(message, "全文", live=live.handle))

    assert [s.text for s in w.shown] == ["全文"]
    assert not card_of(w).streaming
    assert not w.platform.broken


async def test_closed_again_after_a_lost_answer_the_card_is_the_same(world: Make) -> None:
    w = await world()
    message, live = await opened(w)
    await live.grow("")
    await w.until(lambda: w.shown)
    await live.close()
    answer = w.answer(message, "全文", live=live.handle)
    w.platform.faults.append(Fault("/settings", cut="after"))
    with pytest.raises(Faulty):
        await w.channel.send(answer)
    await w.channel.send(replace(answer, retry=True))

    assert [s.text for s in w.shown] == ["全文"]
    assert not w.platform.broken


async def test_with_a_clock_that_was_put_back_the_card_is_closed_all_the_same(world: Make) -> None:
    w = await world()
    message, live = await opened(w)
    await live.grow("一半")
    await w.until(lambda: card_of(w).steps)
    await live.close()
    card_of(w).sequence = 90_000  # fifteen minutes ahead of ours
    earlier = replace(w.channel.site, clock=lambda: datetime.now(UTC) - timedelta(hours=1))
    await Feishu(w.channel.settings, earlier).send(w.answer(message, "全文", live=live.handle))

    assert w.shown[0].text == "全文"
    assert not card_of(w).streaming


async def test_eight_tables_fit_into_the_card_that_grew(world: Make) -> None:
    w = await world()
    text = "\n\n".join(TABLE.replace("{n}", str(n)) for n in range(8))
    message, live = await opened(w)
    await live.grow(text)
    await w.until(lambda: card_of(w).steps)
    await live.close()
    await w.channel.send(w.answer(message, text, live=live.handle))

    assert [w.shown[0].text.count(f"T{n}CELL") for n in range(8)] == [1] * 8
    assert len(w.shown) == 1
    assert not card_of(w).streaming


async def test_what_no_card_holds_comes_below_and_the_card_says_so(world: Make) -> None:
    w = await world()
    text = '"\\' * 12_000
    message, live = await opened(w)
    await live.grow("一半")
    await w.until(lambda: card_of(w).steps)
    await live.grow(text)
    await live.close()
    await w.channel.send(w.answer(message, text, live=live.handle))

    assert [(s.kind, s.text) for s in w.shown] == [("interactive", "内容见下一条消息。"), ("text", text)]
    assert not card_of(w).streaming


async def test_what_no_card_holds_needs_no_card_that_nobody_saw(world: Make) -> None:
    w = await world()
    text = '"\\' * 12_000
    message, live = await opened(w)
    await live.close()
    await w.channel.send(w.answer(message, text, live=live.handle))

    assert [(s.kind, s.text) for s in w.shown] == [("text", text)]


@pytest.mark.parametrize("code", [200740, 200750, 300311, 99991672])
async def test_where_the_card_is_gone_the_answer_comes_as_a_message(world: Make, code: int) -> None:
    w = await world()
    message, live = await opened(w)
    await live.grow("一半")
    await w.until(lambda: card_of(w).steps)
    await live.close()
    (name,) = w.platform.cards.cards
    w.platform.faults.append(Fault(name, Refused(code)))
    await w.channel.send(w.answer(message, "全文", live=live.handle))

    assert [(s.text, s.entity is None) for s in w.shown] == [("一半", False), ("全文", True)]


async def test_a_change_that_is_refused_for_frequency_is_made_up_for_by_the_next(world: Make) -> None:
    w = await world()
    _, live = await opened(w)
    w.platform.faults.append(Fault("/content", Refused(230020)))
    await live.grow("好")
    await w.until(lambda: not w.platform.faults[0].times)
    await asyncio.sleep(0.05)
    await live.grow("好的")
    await w.until(lambda: card_of(w).steps)
    await live.close()

    assert card_of(w).steps == ["好的"]


async def test_a_card_that_feishu_closed_by_itself_stops_growing_and_still_gets_its_text(world: Make) -> None:
    w = await world()
    message, live = await opened(w)
    w.platform.faults.append(Fault("/content", Refused(200850), times=99))
    await live.grow("一")
    await w.until(lambda: w.platform.faults[0].times < 99)
    await live.grow("二")
    await live.close()
    await w.channel.send(w.answer(message, "全文", live=live.handle))

    assert w.platform.faults[0].times == 98
    assert [s.text for s in w.shown] == ["全文"]


async def test_without_the_permission_there_is_no_card_and_the_operator_is_told(world: Make) -> None:
    w = await world()
    w.platform.scopes.discard("cardkit:card:write")
    message = await w.ask()

    assert await w.channel.live(message) is None
    assert await w.channel.live(message) is None
    assert w.platform.calls["POST /open-apis/cardkit/v1/cards"] == 1
    assert "cardkit:card:write" in w.warnings["cards"]


async def test_a_breakdown_while_a_card_is_made_costs_only_the_card(world: Make) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/cards", Refused(2200, status=500)))

    assert await w.channel.live(message) is None
    assert await w.channel.live(message) is not None


async def test_without_stream_there_is_no_card(world: Make) -> None:
    w = await world(stream=False)

    assert await w.channel.live(await w.ask()) is None


async def test_ten_cards_that_grow_at_once_keep_to_the_limit_of_the_app(world: Make) -> None:
    w = await world()
    lives = [await opened(w, f"问 {n}") for n in range(10)]

    async def answer(number: int) -> None:
        message, live = lives[number]
        for n in range(1, 20):
            await live.grow("x" * n)
            await asyncio.sleep(0.02)
        await live.close()
        await w.channel.send(w.answer(message, f"完 {number}", id=number, live=live.handle))

    await asyncio.gather(*map(answer, range(10)))
    assert {s.text for s in w.shown} == {f"完 {n}" for n in range(10)}
    assert not w.platform.broken
