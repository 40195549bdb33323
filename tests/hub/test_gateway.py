"""Accepted once, answered once, delivered once, in order; whatever fails ends in a sentence."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.channel import Live, Traits
from hub.errors import Blocked, Closed, Faulty, Impossible, Unknown
from hub.gateway import Bounds
from hub.journal import Stored
from hub.memory import Forgetful
from hub.texts import texts
from hub.turn import Answer, Delta, Restarted, Turn, TurnEvent
from tests.hub.stage import said, stage

ZH = texts("zh")


async def test_a_message_is_answered_and_sent_with_the_context_of_its_question(tmp_path: Path) -> None:
    async with stage(tmp_path) as hub:
        await hub.gateway.accept(said("你好", key="k"))
        await hub.settled()

        (sent,) = hub.channel.sent
        assert (sent.text, sent.reply_to, sent.context, sent.event) == ("echo:你好", "k", "context of 你好", 2)
        assert await hub.journal.unsent() == []


async def test_the_same_message_is_one_turn_however_often_it_comes(tmp_path: Path) -> None:
    async with stage(tmp_path) as hub:
        tickets = await asyncio.gather(*(hub.gateway.accept(said("你好", key="k")) for _ in range(10)))
        await hub.settled()

        assert len({ticket.turn for ticket in tickets}) == 1
        assert sum(ticket.fresh for ticket in tickets) == 1
        assert len(hub.agent.asked) == len(hub.channel.sent) == 1


async def test_answers_come_in_the_order_of_the_questions_and_nobody_waits_for_somebody_else(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def script(turn: Turn) -> AsyncIterator[TurnEvent]:
        if turn.text == "慢":
            await gate.wait()
        yield Answer(turn.text, engine="scripted")

    async with stage(tmp_path, script=script) as hub:
        for text in ("慢", "一", "二"):
            await hub.gateway.accept(said(text))
        await hub.gateway.accept(said("别人", user="other"))
        await hub.channel.until(lambda c: len(c.sent) == 1)
        assert hub.channel.texts == ["别人"]
        gate.set()
        await hub.settled()

        assert hub.channel.texts == ["别人", "慢", "一", "二"]


async def test_what_was_not_answered_before_a_crash_is_answered_after_it(tmp_path: Path) -> None:
    async def never(turn: Turn) -> AsyncIterator[TurnEvent]:
        await asyncio.Event().wait()
        yield Answer("")

    async with stage(tmp_path, script=never) as hub:
        first = await hub.gateway.accept(said("一"))
        await hub.gateway.accept(said("二"))
        await asyncio.sleep(0.05)
    async with stage(tmp_path) as hub:
        await hub.settled()

        assert hub.channel.texts == ["echo:一", "echo:二"]
        assert next(turn.id for turn in hub.agent.asked) == first.turn


async def test_a_message_that_ends_the_process_each_time_is_given_up(tmp_path: Path) -> None:
    async def never(turn: Turn) -> AsyncIterator[TurnEvent]:
        await asyncio.Event().wait()
        yield Answer("")

    for _ in range(6):
        async with stage(tmp_path, script=never) as hub:
            if not await hub.journal.open():
                await hub.gateway.accept(said("毒", key="poison"))
            await asyncio.sleep(0.05)
    async with stage(tmp_path) as hub:
        await hub.settled()

        assert hub.channel.texts in ([ZH.failed], [])
        assert await hub.journal.open() == []


async def test_an_agent_that_raises_leaves_a_polite_sentence(tmp_path: Path) -> None:
    async def broken(turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Delta("一半")
        raise LookupError("secret detail")

    async with stage(tmp_path, script=broken) as hub:
        await hub.gateway.accept(said("你好"))
        await hub.settled()

        assert hub.channel.texts == [ZH.failed]


async def test_an_agent_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    async def endless(turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Delta("…")
        await asyncio.Event().wait()

    async with stage(tmp_path, script=endless, bounds=Bounds(turn_seconds=0.05)) as hub:
        await hub.gateway.accept(said("你好"))
        await hub.settled()

        assert hub.channel.texts == [ZH.failed]


async def test_a_stale_message_and_one_not_meant_for_us_are_recorded_not_answered(tmp_path: Path) -> None:
    old = datetime.now(UTC) - timedelta(hours=2)
    async with stage(tmp_path, bounds=Bounds(stale_after=3600)) as hub:
        await hub.gateway.accept(said("昨晚的", sent_at=old))
        await hub.gateway.accept(said("现在的"))
        await hub.settled()

        assert hub.channel.texts == ["echo:现在的"]
        assert [e.text for e in hub.agent.asked[0].history] == ["昨晚的"]


async def test_the_agent_is_told_what_was_said_before(tmp_path: Path) -> None:
    async with stage(tmp_path) as hub:
        for text in ("一", "二"):
            await hub.gateway.accept(said(text))
            await hub.settled()

        assert [(e.by, e.text) for e in hub.agent.asked[1].history] == [("person", "一"), ("agent", "echo:一")]


async def test_a_command_never_reaches_the_agent_nor_later_its_history(tmp_path: Path) -> None:
    class Commands(Forgetful):
        async def answer(self, stored: Stored) -> Answer | None:
            return Answer("好的", engine="command") if stored.message.text.startswith("/") else None

    async with stage(tmp_path, memory=Commands()) as hub:
        for text in ("/link ABC123", "你好"):
            await hub.gateway.accept(said(text))
            await hub.settled()

        assert hub.channel.texts == ["好的", "echo:你好"]
        assert [turn.history for turn in hub.agent.asked] == [()]


async def test_a_stopping_hub_finishes_what_is_in_work_and_leaves_what_is_new_to_the_next(tmp_path: Path) -> None:
    async def slow(turn: Turn) -> AsyncIterator[TurnEvent]:
        await asyncio.sleep(0.1)
        yield Answer("好了", engine="scripted")

    async with stage(tmp_path, script=slow) as hub:
        await hub.gateway.accept(said("一"))
        draining = asyncio.create_task(hub.gateway.drain(5))
        await asyncio.sleep(0)
        await hub.gateway.accept(said("二"))
        assert await draining
        assert hub.channel.texts == ["好了"]
    async with stage(tmp_path) as hub:
        await hub.settled()

        assert hub.channel.texts == ["echo:二"]


# -- delivery


async def test_a_fault_is_tried_again_from_the_part_that_failed(tmp_path: Path) -> None:
    async def long(turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Answer("第一段。\n\n第二段。\n\n第三段。", engine="scripted")

    faults = [None, Faulty(after=0.05), None]
    async with stage(tmp_path, traits=Traits(text_bytes=15, citations="own"), script=long, outcomes=faults) as hub:
        await hub.gateway.accept(said("你好"))
        await hub.channel.until(lambda c: len(c.sent) == 3)

        assert hub.channel.texts == ["第一段。", "第二段。", "第三段。"]
        assert len(hub.channel.tried) == 4


async def test_an_unknown_outcome_is_tried_once_more_and_marked(tmp_path: Path) -> None:
    async with stage(tmp_path, outcomes=[Unknown()]) as hub:
        await hub.gateway.accept(said("你好"))
        await hub.channel.until(lambda c: len(c.sent) == 1)

        assert [message.retry for message in hub.channel.tried] == [False, True]


@pytest.mark.parametrize("refusal", [Closed(code="45015"), Blocked(code="40164", advice="add 1.2.3.4")])
async def test_a_refusal_is_not_repeated_and_the_text_comes_with_the_next_message(
    tmp_path: Path, refusal: Closed | Blocked
) -> None:
    async with stage(tmp_path, outcomes=[refusal]) as hub:
        await hub.gateway.accept(said("一"))
        await hub.settled()
        assert (hub.channel.texts, len(hub.channel.tried)) == ([], 1)
        await hub.gateway.accept(said("二"))
        await hub.settled()

        assert hub.channel.texts == ["echo:一", "echo:二"]


async def test_what_waits_for_the_operator_is_tried_at_the_next_start_and_a_closed_window_is_not(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, outcomes=[Blocked(), Closed()]) as hub:
        await hub.gateway.accept(said("一"))
        await hub.gateway.accept(said("二", user="other"))
        await hub.settled()
    async with stage(tmp_path) as hub:
        await hub.settled()

        assert len(hub.channel.texts) == 1


async def test_what_can_never_be_sent_does_not_hold_up_what_follows(tmp_path: Path) -> None:
    async with stage(tmp_path, outcomes=[Impossible()]) as hub:
        await hub.gateway.accept(said("一"))
        await hub.gateway.accept(said("二"))
        await hub.settled()

        assert hub.channel.texts == ["echo:二"]
        assert await hub.journal.unsent() == []


async def test_a_channel_that_breaks_is_a_fault_and_tried_again_later(tmp_path: Path) -> None:
    async with stage(tmp_path, outcomes=[LookupError("inside")]) as hub:
        await hub.gateway.accept(said("你好"))
        await hub.settled()

        (part,) = await hub.journal.unsent()
        assert (part.state, part.tries) == ("waiting", 1)


async def test_more_parts_than_a_platform_takes_for_one_question_wait_for_the_next(tmp_path: Path) -> None:
    async def long(turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Answer("第一段。\n\n第二段。\n\n第三段。" if turn.text == "一" else "好", engine="scripted")

    async with stage(tmp_path, traits=Traits(text_bytes=15, citations="own", most_parts=2), script=long) as hub:
        await hub.gateway.accept(said("一"))
        await hub.settled()
        assert hub.channel.texts == ["第一段。", "第二段。"]
        await hub.gateway.accept(said("继续"))
        await hub.settled()

        assert hub.channel.texts == ["第一段。", "第二段。", "第三段。", "好"]


# -- replies in the HTTP answer

PASSIVE = Traits(text_bytes=200, markdown=False, answers_request=True)
QUIET = Traits(text_bytes=200, markdown=False, answers_request=True, pushes=False)


async def test_a_reply_in_time_goes_out_in_the_answer_and_nowhere_else(tmp_path: Path) -> None:
    async with stage(tmp_path, traits=PASSIVE) as hub:
        ticket = await hub.gateway.accept(said("你好"))
        reply = await ticket.reply(within=5)
        await ticket.written()
        await hub.settled()

        assert reply
        assert reply.text == "echo:你好"
        assert (hub.channel.tried, await hub.journal.unsent()) == ([], [])


async def test_the_same_message_asked_again_gets_the_same_text(tmp_path: Path) -> None:
    async with stage(tmp_path, traits=PASSIVE) as hub:
        replies = []
        for _ in range(3):
            ticket = await hub.gateway.accept(said("你好", key="k"))
            replies.append(await ticket.reply(within=5))
            await ticket.written()
        await hub.settled()
    async with stage(tmp_path, traits=PASSIVE) as hub:
        ticket = await hub.gateway.accept(said("你好", key="k"))
        replies.append(await ticket.reply(within=5))

        assert [reply and reply.text for reply in replies] == ["echo:你好"] * 4
        assert hub.channel.tried == []


async def test_a_late_reply_is_pushed_and_not_given_again_to_a_late_try(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def slow(turn: Turn) -> AsyncIterator[TurnEvent]:
        await gate.wait()
        yield Answer("晚", engine="scripted")

    async with stage(tmp_path, traits=PASSIVE, script=slow) as hub:
        ticket = await hub.gateway.accept(said("你好", key="k"))
        assert await ticket.reply(within=0.02) is None
        gate.set()
        await hub.settled()
        again = await hub.gateway.accept(said("你好", key="k"))

        assert hub.channel.texts == ["晚"]
        assert await again.reply(within=0.02, rest=True) is None


async def test_a_claim_that_nobody_confirms_is_sent_in_the_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.delivery.CONFIRM_SECONDS", 0.05)
    async with stage(tmp_path, traits=PASSIVE) as hub:
        ticket = await hub.gateway.accept(said("你好"))
        assert await ticket.reply(within=5)
        await hub.channel.until(lambda c: len(c.sent) == 1)

        assert [(m.text, m.retry) for m in hub.channel.sent] == [("echo:你好", True)]


async def test_a_late_reply_that_cannot_be_pushed_comes_with_the_next_message_before_its_answer(
    tmp_path: Path,
) -> None:
    gate = asyncio.Event()

    async def slow(turn: Turn) -> AsyncIterator[TurnEvent]:
        if turn.text == "一":
            await gate.wait()
        yield Answer(f"答{turn.text}", engine="scripted")

    async with stage(tmp_path, traits=QUIET, script=slow) as hub:
        first = await hub.gateway.accept(said("一"))
        assert await first.reply(within=0.02, rest=True) is None
        gate.set()
        await hub.settled()
        second = await hub.gateway.accept(said("二"))
        reply = await second.reply(within=5)
        await second.written()
        await hub.settled()

        assert reply
        assert reply.text == "答一\n\n答二"
        assert (hub.channel.tried, await hub.journal.unsent()) == ([], [])


async def test_a_reply_that_came_between_two_tries_is_in_the_second(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def slow(turn: Turn) -> AsyncIterator[TurnEvent]:
        await gate.wait()
        yield Answer("好", engine="scripted")

    async with stage(tmp_path, traits=QUIET, script=slow) as hub:
        ticket = await hub.gateway.accept(said("一", key="k"))
        assert await ticket.reply(within=0.02) is None
        gate.set()
        await hub.settled()
        again = await hub.gateway.accept(said("一", key="k"))
        reply = await again.reply(within=5)

        assert reply
        assert reply.text == "好"


async def test_a_long_reply_that_cannot_be_pushed_comes_piece_by_piece_with_a_line_that_says_so(
    tmp_path: Path,
) -> None:
    whole = "".join(f"第{n}条规定要看清楚。" for n in range(30))

    async def long(turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Answer(whole if turn.text == "说" else "好", engine="scripted")

    async with stage(tmp_path, traits=QUIET, script=long) as hub:
        read = []
        for text in ["说", *["继续"] * 12]:
            ticket = await hub.gateway.accept(said(text))
            reply = await ticket.reply(within=5)
            await ticket.written()
            await hub.settled()
            assert reply
            assert len(reply.text.encode()) <= 200
            read.append(reply.text)

        assert ZH.more in read[0]
        assert "".join(read).replace(ZH.more, "").replace("\n", "").startswith(whole)


async def test_a_crash_between_claim_and_answer_does_not_lose_the_reply(tmp_path: Path) -> None:
    async with stage(tmp_path, traits=QUIET) as hub:
        ticket = await hub.gateway.accept(said("你好", key="k"))
        assert await ticket.reply(within=5)
    async with stage(tmp_path, traits=QUIET) as hub:
        again = await hub.gateway.accept(said("你好", key="k"))
        reply = await again.reply(within=5)

        assert reply
        assert reply.text == "echo:你好"


# -- live replies


class Card(Live):
    """Remembers what it showed."""

    def __init__(self, handle: str) -> None:
        self.handle = handle
        self.shown: list[str] = []
        self.closed = False

    async def grow(self, text: str) -> None:
        self.shown.append(text)

    async def close(self) -> None:
        self.closed = True


async def test_a_live_reply_grows_and_the_finished_one_finds_it(tmp_path: Path) -> None:
    async def growing(turn: Turn) -> AsyncIterator[TurnEvent]:
        for text in ("一", "二"):
            await asyncio.sleep(0.02)
            yield Delta(text)
        yield Restarted()
        yield Delta("三")
        yield Answer("三", engine="scripted")

    async with stage(tmp_path, script=growing) as hub:
        card = hub.channel.shows = Card("card-1")
        await hub.gateway.accept(said("你好"))
        await hub.settled()

        assert (card.shown, card.closed) == (["", "一", "一二", "三"], True)
        assert [message.live for message in hub.channel.sent] == ["card-1"]


async def test_after_a_crash_the_live_reply_that_was_open_is_brought_to_its_end(tmp_path: Path) -> None:
    async def never(turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Delta("一半")
        await asyncio.Event().wait()

    async with stage(tmp_path, script=never) as hub:
        hub.channel.shows = Card("card-1")
        await hub.gateway.accept(said("你好"))
        await asyncio.sleep(0.1)
    async with stage(tmp_path) as hub:
        hub.channel.shows = Card("card-2")
        await hub.settled()

        assert [(message.live, message.text) for message in hub.channel.sent] == [("card-1", "echo:你好")]
