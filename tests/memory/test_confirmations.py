"""A question before a tool acts: whose it is, how long it stands, and that one yes uses it up."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from hub.journal import Piece
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity
from hub.turn import Answer
from memory import confirmations, privacy
from memory.confirmations import Heard, Said, Standing
from memory.journal import SqlJournal
from memory.store import Store
from memory.tables import audit
from memory.tables import confirmations as table

YES, NO = Said("yes"), Said("no")
ARGUMENTS = '{"order": "QH1"}'


@dataclass
class Talk:
    """What people say, and what their words come to."""

    store: Store
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    count: int = 0

    async def say(self, who: str = "lin", *, place: str = "", answered: bool = True) -> str:
        """A message; the turn that answers it."""
        self.count += 1
        self.now += timedelta(seconds=1)
        where = Conversation("main", "acc", place or who, "group" if place else "private")
        message = InboundMessage(f"k{self.count}", where, Identity("main", "acc", who), (Text("…"),))
        journal = SqlJournal(self.store)
        stored = await journal.accept(message, now=self.now)
        if answered:
            await journal.answer(stored, Answer("ok"), [Piece("ok")], now=self.now, states=["sent"])
        return stored.turn

    async def ask(self, who: str = "lin", *, place: str = "") -> int:
        """Something that ends in a question; its number."""
        turn = await self.say(who, place=place, answered=False)
        self.now += timedelta(seconds=1)
        until = self.now + timedelta(minutes=10)
        number = await self.store.write(
            lambda c: confirmations.ask(c, turn, "reissue", ARGUMENTS, now=self.now, until=until)
        )
        self.now += timedelta(seconds=1)
        return number

    async def hear(self, turn: str, said: Said) -> Heard | None:
        return await self.store.write(lambda c: confirmations.hear(c, turn, said, now=self.now))

    async def standing(self, turn: str, said: Said) -> Standing | None:
        heard = await self.hear(turn, said)
        return heard.standing if heard else None


@pytest.fixture
def talk(store: Store) -> Talk:
    return Talk(store)


async def test_a_yes_brings_back_what_was_asked(talk: Talk) -> None:
    number = await talk.ask()

    assert await talk.hear(await talk.say(), YES) == Heard("yes", "reissue", ARGUMENTS, f"t{number}")


async def test_the_message_that_said_yes_may_be_worked_on_again_and_no_other(talk: Talk) -> None:
    await talk.ask()
    first, second = await talk.say(answered=False), await talk.say()

    assert [await talk.standing(turn, YES) for turn in (first, first, second, second)] == ["yes", "yes", "done", "done"]


async def test_a_no_is_used_up_too(talk: Talk) -> None:
    await talk.ask()

    assert await talk.standing(await talk.say(), NO) == "no"
    assert await talk.standing(await talk.say(), YES) == "done"


async def test_whoever_says_something_else_has_let_it_go(talk: Talk) -> None:
    number = await talk.ask()
    await talk.say()
    turn = await talk.say()

    assert await talk.standing(turn, YES) is None
    assert await talk.standing(turn, Said("yes", number)) == "late"


async def test_a_question_stands_for_its_time_only(talk: Talk) -> None:
    await talk.ask()
    talk.now += timedelta(minutes=10)
    turn = await talk.say()

    assert await talk.standing(turn, YES) == "late"
    assert await talk.standing(turn, Said("yes", plain=False)) is None


async def test_words_said_before_the_question_was_shown_are_no_yes(talk: Talk) -> None:
    asking, early = await talk.say(answered=False), await talk.say(answered=False)
    talk.now += timedelta(seconds=1)
    later = talk.now + timedelta(minutes=10)
    await talk.store.write(lambda c: confirmations.ask(c, asking, "reissue", "{}", now=talk.now, until=later))

    assert await talk.standing(early, YES) is None


async def test_a_new_question_takes_the_place_of_the_one_before(talk: Talk) -> None:
    old, new = await talk.ask(), await talk.ask()
    pressed = await talk.say(answered=False)

    assert await talk.standing(pressed, Said("yes", old)) == "late"
    assert await talk.standing(pressed, Said("yes", new)) == "yes"


async def test_somebody_else_in_the_group_can_neither_say_nor_press_it(talk: Talk) -> None:
    number = await talk.ask("lin", place="group")
    other = await talk.say("mei", place="group")

    assert await talk.standing(other, YES) is None
    assert await talk.standing(other, Said("yes", number)) == "other"
    assert await talk.standing(await talk.say("lin", place="group"), Said("yes", number)) == "yes"


async def test_a_yes_in_another_conversation_is_none(talk: Talk) -> None:
    await talk.ask("lin", place="group")

    assert await talk.standing(await talk.say("lin"), YES) is None


async def test_acknowledging_the_outcome_is_no_second_yes(talk: Talk) -> None:
    await talk.ask()
    await talk.standing(await talk.say(), YES)

    assert await talk.standing(await talk.say(), Said("yes", plain=False)) is None


async def test_a_yes_and_a_no_are_in_the_audit_log_without_what_was_said(talk: Talk) -> None:
    await talk.ask()
    await talk.standing(await talk.say(), YES)
    await talk.ask()
    await talk.standing(await talk.say(), NO)
    rows = await talk.store.read(lambda c: c.execute(select(audit.c.act, audit.c.subject).order_by(audit.c.id)).all())

    assert [tuple(row) for row in rows] == [("confirm", "tool reissue"), ("decline", "tool reissue")]


async def test_an_erased_person_leaves_no_question(talk: Talk) -> None:
    await talk.ask()
    person = await talk.store.read(lambda c: privacy.find(c, "main", "lin")) or 0
    kept = await talk.store.read(lambda c: privacy.export(c, person))
    await talk.store.write(lambda c: privacy.erase(c, person, by="operator", now=talk.now))
    left = await talk.store.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())

    assert ([row["arguments"] for row in kept["confirmations"]], left) == ([ARGUMENTS], 0)
