"""What the journal promises, on both databases. See hub/journal.py."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from hub.journal import Outgoing, PartState, Piece, Stored
from hub.message import Choice, Citation, Conversation, Event, InboundMessage, Location, Media, OutboundMessage, Receipt
from hub.message import Text as Words
from hub.person import Evidence, Identity, Person
from hub.turn import Answer, Exchange, Usage
from memory.calls import Call
from memory.journal import SqlJournal
from memory.store import Store
from memory.tables import identities
from tests.databases import Database

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, UTC)
LATER = NOW + timedelta(minutes=5)


def said(
    text: str = "你好", *, key: str = "k1", user: str = "lin", channel: str = "oa", group: str = ""
) -> InboundMessage:
    place = Conversation(channel, "acc", group or user, "group" if group else "private")
    return InboundMessage(key, place, Identity(channel, "acc", user), (Words(text),))


async def answer(
    journal: SqlJournal,
    stored: Stored,
    *texts: str,
    states: Sequence[PartState] = (),
    claim: Sequence[int] = (),
    engine: str = "scripted",
) -> Sequence[OutboundMessage]:
    pieces = [Piece(text) for text in texts or ("好的",)]
    states = states or ["waiting"] * len(pieces)
    return await journal.answer(stored, Answer("", engine=engine), pieces, now=LATER, states=states, claim=claim)


async def exchange(journal: SqlJournal, message: InboundMessage, *, at: datetime = NOW) -> Stored:
    """A question and its answer, which repeats it."""
    stored = await journal.accept(message, now=at)
    await answer(journal, stored, f"re {message.text}", states=["sent"])
    return stored


def words(history: Sequence[Exchange]) -> list[str]:
    return [exchange.text for exchange in history]


# -- accepting


async def test_a_message_is_stored_whole(journal: SqlJournal) -> None:
    message = InboundMessage(
        key="m:1",
        conversation=Conversation("feishu", "cli_1", "oc_1", "group"),
        sender=Identity("feishu", "cli_1", "ou_1"),
        parts=(
            Words("一\n二"),
            Media("voice", "media-1", name="a.amr", media_type="audio/amr", size=3, words="听写"),
            Location(30.25, 120.16, "西湖"),
            Event("unknown", "x"),
        ),
        sent_at=NOW - timedelta(seconds=3),
        context='{"reply": "\\u0000"}',
        evidence=(Evidence("feishu_union_id", "on_1"),),
    )
    stored = await journal.accept(message, now=NOW)

    assert stored == replace(stored, message=message, event=1, received_at=NOW, fresh=True, open=True, attempts=0)
    assert await journal.open() == [replace(stored, fresh=False)]
    assert await journal.find(message.conversation, "m:1") == replace(stored, fresh=False)


async def test_fifty_deliveries_of_one_message_are_one_message(journal: SqlJournal, store: Store) -> None:
    tickets = await asyncio.gather(*(journal.accept(said(), now=NOW) for _ in range(50)))

    assert sorted(ticket.fresh for ticket in tickets) == [False] * 49 + [True]
    assert {replace(ticket, fresh=False) for ticket in tickets} == {replace(tickets[0], fresh=False)}
    assert (await journal.accept(said("next", key="k2"), now=NOW)).event == 2


async def test_a_key_belongs_to_its_channel_and_account(journal: SqlJournal) -> None:
    first = await journal.accept(said(channel="oa"), now=NOW)
    second = await journal.accept(said(channel="kf"), now=NOW)

    assert (first.fresh, second.fresh) == (True, True)
    assert first.person != second.person
    assert await journal.find(Conversation("oa", "other", "lin"), "k1") is None


@pytest.mark.parametrize("answered", [True, False])
async def test_what_is_not_to_be_answered_is_recorded_only(journal: SqlJournal, answered: bool) -> None:
    message = said() if answered else replace(said(), addressed=False)
    stored = await journal.accept(message, now=NOW, answer=not answered)

    assert not stored.open
    assert await journal.open() == []
    assert await answer(journal, stored) == []


async def test_open_messages_come_by_conversation_and_in_order(journal: SqlJournal) -> None:
    for number, user in enumerate(["b", "a", "b", "a"]):
        await journal.accept(said(key=f"k{number}", user=user), now=NOW)
    found = [(stored.message.sender.user, stored.event) for stored in await journal.open()]

    assert found == [("b", 1), ("b", 2), ("a", 1), ("a", 2)]


async def test_a_withdrawn_message_is_neither_open_nor_remembered(journal: SqlJournal) -> None:
    await exchange(journal, said("geheim", key="k1"))
    stored = await journal.accept(said("offen", key="k2"), now=NOW)
    for key in ("k1", "k2", "unknown"):
        await journal.withdraw(said().conversation, key)
    last = await journal.accept(said(key="k3"), now=NOW)

    assert [one.message.key for one in await journal.open()] == ["k3"]
    assert await answer(journal, stored) == []
    assert await journal.history(last, limit=10) == []
    again = await journal.accept(said("offen", key="k2"), now=NOW)
    assert (again.fresh, again.open) == (False, False)


async def test_attempts_are_counted_and_a_live_reply_is_found_again(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)
    counts = [await journal.begin(stored, now=NOW) for _ in range(3)]
    await journal.keep_live(stored, "card-7")
    (found,) = await journal.open()

    assert counts == [1, 2, 3]
    assert found == replace(stored, fresh=False, attempts=3, live="card-7")
    assert [part.live for part in await answer(journal, found, "一", "二")] == ["card-7", ""]


# -- numbers


async def test_numbers_have_no_gap_and_follow_the_order_of_storing(journal: SqlJournal) -> None:
    async def turn(number: int) -> None:
        stored = await journal.accept(said(key=f"k{number}", user=f"u{number % 3}", group="room"), now=NOW)
        again = await journal.accept(said(key=f"k{number}", user=f"u{number % 3}", group="room"), now=NOW)
        assert again.event == stored.event
        await answer(journal, stored, *["teil"] * (number % 4))

    await asyncio.gather(*(turn(number) for number in range(40)))
    events = await journal.events(said(group="room").conversation, after=0, limit=1000)

    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert len(events) == 40 + sum(max(number % 4, 1) for number in range(40))


async def test_events_are_both_directions_above_a_number(journal: SqlJournal) -> None:
    first = await exchange(journal, said("eins", key="k1"))
    second = await journal.accept(said("zwei", key="k2"), now=NOW)
    parts = await answer(journal, second, "drei", "vier")
    told = await journal.say(second.place, "fünf", now=LATER)
    place = first.message.conversation

    assert await journal.events(place, after=2, limit=10) == [
        (3, second.message, NOW),
        (4, parts[0], LATER),
        (5, parts[1], LATER),
        (6, told, LATER),
    ]
    assert [number for number, _, _ in await journal.events(place, after=0, limit=2)] == [1, 2]
    assert await journal.events(replace(place, id="unknown"), after=0, limit=10) == []


# -- answering


async def test_a_reply_is_stored_whole(journal: SqlJournal, store: Store) -> None:
    stored = await journal.accept(said(), now=NOW)
    whole = Answer("…", engine="builtin", refused=True, usage=Usage("model-1", 10, 20, 1.5))
    citations = (Citation("1", "退货政策", "https://example.com/1", '"七天" 无理由'),)
    choices = (Choice("是", "yes"), Choice("否", "no"))
    pieces = [Piece("第一段[1]", citations), Piece("第二段", choices=choices)]
    parts = await journal.answer(stored, whole, pieces, now=LATER, states=["claimed", "waiting"])

    message = OutboundMessage(
        id=parts[0].id,
        turn=stored.turn,
        conversation=stored.message.conversation,
        recipient=stored.message.sender,
        text="第一段[1]",
        event=2,
        citations=citations,
        reply_to="k1",
        last=False,
    )
    other = replace(
        message, id=parts[1].id, text="第二段", event=3, citations=(), choices=choices, first=False, last=True
    )
    assert parts == [message, other]
    expected = [Outgoing(message, stored.place, "claimed"), Outgoing(other, stored.place, "waiting")]
    assert await journal.reply(stored) == expected
    assert await journal.waiting(stored.place) == expected
    assert await journal.unsent() == expected
    kept = "SELECT state, engine, refused, model, input_tokens, output_tokens, answered_at FROM messages"
    row = await store.read(lambda connection: connection.exec_driver_sql(kept).one())
    assert tuple(row) == ("answered", "builtin", True, "model-1", 10, 20, LATER.timestamp())


async def test_a_message_is_answered_once(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)
    replies = await asyncio.gather(*(answer(journal, stored, f"a{n}", f"b{n}") for n in range(20)))
    (reply,) = [parts for parts in replies if parts]

    assert [part.event for part in reply] == [2, 3]
    assert [part.message for part in await journal.reply(stored)] == reply
    assert await journal.open() == []
    assert len(await journal.events(stored.message.conversation, after=0, limit=100)) == 3


async def test_a_silent_answer_closes_the_message_without_a_part(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)

    assert await journal.answer(stored, Answer("", engine="handover"), [], now=NOW, states=[]) == []
    assert await journal.open() == []
    assert await journal.reply(stored) == []
    assert (await journal.accept(said(key="k2"), now=NOW)).event == 2


async def test_older_parts_are_claimed_with_the_answer_they_go_out_with(journal: SqlJournal) -> None:
    first = await journal.accept(said(key="k1"), now=NOW)
    (old,) = await answer(journal, first, "alt", states=["kept"])
    second = await journal.accept(said(key="k2"), now=NOW)
    (new,) = await answer(journal, second, "neu", states=["claimed"], claim=[old.id])
    third = await journal.accept(said(key="k3"), now=NOW)
    await answer(journal, third, "nie", states=["sent"])

    assert [(p.message.id, p.state) for p in await journal.waiting(first.place)] == [
        (old.id, "claimed"),
        (new.id, "claimed"),
    ]


# -- delivering


async def test_a_part_goes_through_its_states(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)
    (part,) = await answer(journal, stored)
    due = NOW + timedelta(seconds=6)
    seen = []
    await journal.mark([part.id], "sending", now=NOW)
    seen.append((await journal.reply(stored))[0])
    await journal.mark([part.id], "unknown", now=NOW, not_before=due, why="no answer")
    seen.append((await journal.reply(stored))[0])
    await journal.mark([part.id], "sending", now=NOW)
    await journal.mark([part.id], "sent", now=NOW, receipt=Receipt("msg-9"))
    seen.append((await journal.reply(stored))[0])

    maybe = replace(part, retry=True)
    assert seen == [
        Outgoing(maybe, stored.place, "sending", tries=1),
        Outgoing(maybe, stored.place, "unknown", tries=1, not_before=due),
        Outgoing(part, stored.place, "sent", tries=2, receipt="msg-9"),
    ]
    assert await journal.waiting(stored.place) == []
    assert await journal.unsent() == []


@pytest.mark.parametrize("state", ["waiting", "sending", "claimed", "unknown", "kept", "sent", "failed"])
async def test_what_is_not_over_is_found_at_the_next_start(journal: SqlJournal, state: PartState) -> None:
    stored = await journal.accept(said(), now=NOW)
    one, two = await answer(journal, stored, "一", "二")
    await journal.mark([one.id, two.id], state, now=NOW)
    found = [] if state in ("sent", "failed") else [one.id, two.id]

    assert [part.message.id for part in await journal.unsent()] == found
    assert [part.message.id for part in await journal.waiting(stored.place)] == found
    assert [part.state for part in await journal.reply(stored)] == [state, state]


async def test_marking_nothing_changes_nothing(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)
    await answer(journal, stored)
    await journal.mark([], "failed", now=NOW)

    assert [part.state for part in await journal.reply(stored)] == ["waiting"]


async def test_something_is_said_to_whoever_wrote_last(journal: SqlJournal) -> None:
    await journal.accept(said(key="k1", user="lin", group="room"), now=NOW)
    stored = await journal.accept(said(key="k2", user="wang", group="room"), now=NOW)
    told = await journal.say(stored.place, "已接入人工", now=LATER)

    assert told is not None
    assert told == OutboundMessage(
        id=told.id,
        turn=f"p{told.id}",
        conversation=stored.message.conversation,
        recipient=stored.message.sender,
        text="已接入人工",
        event=3,
    )
    assert await journal.unsent() == [Outgoing(told, stored.place, "waiting")]
    assert await journal.say(stored.place + 1000, "…", now=LATER) is None


# -- what may be remembered


async def test_history_is_what_was_said_before_oldest_first(journal: SqlJournal) -> None:
    await exchange(journal, said("eins", key="k1"))
    await exchange(journal, said("zwei", key="k2"), at=NOW + timedelta(seconds=1))
    last = await journal.accept(said("drei", key="k3"), now=LATER)
    await journal.accept(said("vier", key="k4"), now=LATER)

    assert await journal.history(last, limit=10) == [
        Exchange("person", "eins", "oa", NOW),
        Exchange("agent", "re eins", "oa", LATER),
        Exchange("person", "zwei", "oa", NOW + timedelta(seconds=1)),
        Exchange("agent", "re zwei", "oa", LATER),
    ]
    assert words(await journal.history(last, limit=3)) == ["re eins", "zwei", "re zwei"]
    assert await journal.history(last, limit=0) == []


async def test_history_is_of_one_person_and_of_no_other(journal: SqlJournal) -> None:
    await exchange(journal, said("von wang", key="k1", user="wang"))
    await exchange(journal, said("in der Gruppe", key="k2", group="room"))
    await exchange(journal, said("unter uns", key="k3"))
    mine = await journal.accept(said(key="k4"), now=NOW)
    theirs = await journal.accept(said(key="k5", user="wang"), now=NOW)

    assert words(await journal.history(mine, limit=10)) == ["unter uns", "re unter uns"]
    assert words(await journal.history(theirs, limit=10)) == ["von wang", "re von wang"]


async def test_a_group_remembers_what_all_said_there_and_nothing_private(journal: SqlJournal) -> None:
    await exchange(journal, said("unter uns", key="k1"))
    await exchange(journal, said("hallo", key="k2", group="room"))
    await journal.accept(replace(said("nebenbei", key="k3", user="wang", group="room"), addressed=False), now=NOW)
    await exchange(journal, said("woanders", key="k4", group="other"))
    asked = await journal.accept(said(key="k5", user="wang", group="room"), now=NOW)

    assert words(await journal.history(asked, limit=10)) == ["hallo", "re hallo", "nebenbei"]


async def test_one_person_on_two_channels_has_one_history(journal: SqlJournal, store: Store) -> None:
    await exchange(journal, said("per oa", key="k1", channel="oa"))
    await exchange(journal, said("per h5", key="k2", channel="h5"))
    await exchange(journal, said("wieder oa", key="k3", channel="oa"))
    one = await journal.accept(said(key="k4", channel="oa"), now=NOW)
    await store.write(lambda connection: connection.execute(update(identities).values(person_id=one.person.id)))
    asked = await journal.accept(said(key="k5", channel="h5"), now=NOW)

    assert asked.person == Person(one.person.id, "zh", linked=True)
    history = await journal.history(asked, limit=10)
    assert words(history) == ["per oa", "re per oa", "per h5", "re per h5", "wieder oa", "re wieder oa", "你好"]
    assert [e.channel for e in history] == ["oa", "oa", "h5", "h5", "oa", "oa", "oa"]
    assert words(await journal.history(asked, limit=2)) == ["re wieder oa", "你好"]


async def test_commands_are_not_remembered(journal: SqlJournal) -> None:
    stored = await journal.accept(said("/link", key="k1"), now=NOW)
    await answer(journal, stored, "Code 12345678", engine="command")
    asked = await journal.accept(said(key="k2"), now=NOW)

    assert await journal.history(asked, limit=10) == []


# -- people


async def test_a_signed_identity_counts_as_proven(journal: SqlJournal) -> None:
    plain = await journal.accept(said(key="k1"), now=NOW)
    proven = await journal.accept(replace(said(key="k2"), evidence=(Evidence("jwt_sub", "42"),)), now=NOW)
    later = await journal.accept(said(key="k3"), now=NOW)
    other = replace(said(key="k4", user="wang"), evidence=(Evidence("unionid", "o1"),))

    assert [one.person.linked for one in (plain, proven, later)] == [False, True, True]
    assert {one.person.id for one in (plain, proven, later)} == {plain.person.id}
    assert not (await journal.accept(other, now=NOW)).person.linked


async def test_many_first_messages_of_one_visitor_make_one_person(journal: SqlJournal) -> None:
    stored = await asyncio.gather(*(journal.accept(said(key=f"k{n}"), now=NOW) for n in range(20)))

    assert len({one.person.id for one in stored}) == 1
    assert sorted(one.event for one in stored) == list(range(1, 21))


# -- tools and notes


async def test_calls_of_a_turn_are_found_when_it_is_run_again(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)
    second = Call(2, "refund", '{"order": "A1"}')
    first = Call(1, "order", '{"id": "A1"}', "done", "已发货")
    await journal.record_tool_call(stored.turn, second, now=NOW)
    await journal.record_tool_call(stored.turn, first, now=NOW)
    assert await journal.tool_calls(stored.turn) == [first, second]
    failed = replace(second, state="failed", result="no such order")
    await journal.record_tool_call(stored.turn, failed, now=LATER)

    assert await journal.tool_calls(stored.turn) == [first, failed]
    assert await journal.tool_calls("t999999") == []


async def test_a_closed_turn_takes_no_more_calls(journal: SqlJournal) -> None:
    stored = await journal.accept(said(), now=NOW)
    await answer(journal, stored)
    await journal.record_tool_call(stored.turn, Call(1, "order", "{}"), now=NOW)

    assert await journal.tool_calls(stored.turn) == []


async def test_notes_are_kept_by_channel(journal: SqlJournal) -> None:
    await journal.keep_note("kf", "cursor", "1")
    await asyncio.gather(*(journal.keep_note("kf", "cursor", "2") for _ in range(5)))
    await journal.keep_note("other", "cursor", "3")

    assert await journal.note("kf", "cursor") == "2"
    assert await journal.note("kf", "unknown") is None


# -- another process


async def test_everything_is_there_after_a_restart(database: Database) -> None:
    async with database.opened() as store:
        journal = SqlJournal(store)
        stored = await journal.accept(said("eins", key="k1"), now=NOW)
        parts = await answer(journal, stored, "一", "二")
        await journal.mark([parts[0].id], "sending", now=NOW)
        waits = await journal.accept(said("zwei", key="k2"), now=NOW)
        await journal.keep_note("kf", "cursor", "1")
    async with database.opened() as store:
        journal = SqlJournal(store)

        assert await journal.open() == [replace(waits, fresh=False)]
        assert [(p.message.text, p.state) for p in await journal.unsent()] == [("一", "sending"), ("二", "waiting")]
        assert not (await journal.accept(said("eins", key="k1"), now=NOW)).fresh
        assert await journal.note("kf", "cursor") == "1"
        assert (await journal.accept(said("drei", key="k3"), now=NOW)).event == 5
