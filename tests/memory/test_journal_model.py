"""The journal beside a model of it in dictionaries: whatever happens, in any order, both say the same."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.journal import PartState, Piece, Stored
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity
from hub.turn import Answer
from memory.journal import SqlJournal
from tests.databases import empty

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OVER = ("sent", "failed")
STATES: tuple[PartState, ...] = get_args(PartState)
KEYS, USERS = st.sampled_from("1234"), st.sampled_from("ab")
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("accept"), KEYS, USERS),
        st.tuples(st.just("answer"), KEYS, st.lists(st.sampled_from(STATES), max_size=3)),
        st.tuples(st.just("withdraw"), KEYS, USERS),
        st.tuples(st.just("mark"), st.integers(0, 5), st.sampled_from(STATES)),
    ),
    max_size=30,
)


@dataclass
class Model:
    """What should be there: messages by key, parts in the order of their rows, the last number by user."""

    messages: dict[str, Stored] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    parts: dict[int, tuple[str, int, PartState]] = field(default_factory=dict)
    last: Counter[str] = field(default_factory=Counter)


def said(key: str, user: str) -> InboundMessage:
    return InboundMessage(key, Conversation("main", "", user), Identity("main", "", user), (Text(f"{user}{key}"),))


async def accept(journal: SqlJournal, model: Model, key: str, user: str) -> None:
    stored = await journal.accept(said(key, user), now=NOW)
    assert stored.fresh == (key not in model.messages)
    if stored.fresh:
        model.last[user] += 1
        model.messages[key] = stored
        model.open.add(key)
        assert stored.event == model.last[user]
    assert stored.message == model.messages[key].message
    assert stored.open == (key in model.open)


async def answer(journal: SqlJournal, model: Model, key: str, states: list[PartState]) -> None:
    if key not in model.messages:
        return
    stored = model.messages[key]
    user = stored.message.sender.user
    parts = await journal.answer(stored, Answer(""), [Piece(s) for s in states], now=NOW, states=states)
    assert len(parts) == (len(states) if key in model.open else 0)
    model.open.discard(key)
    for part, state in zip(parts, states, strict=False):
        model.last[user] += 1
        model.parts[part.id] = user, model.last[user], state


async def mark(journal: SqlJournal, model: Model, number: int, state: PartState) -> None:
    for row in list(model.parts)[number : number + 1]:
        await journal.mark([row], state, now=NOW)
        user, event, _ = model.parts[row]
        model.parts[row] = user, event, state


async def play(folder: Path, acts: list[tuple[str, object, object]]) -> None:
    model = Model()
    async with empty("sqlite", folder).opened() as store:
        journal = SqlJournal(store)
        for act, one, other in acts:
            match act, one, other:
                case "accept", str(key), str(user):
                    await accept(journal, model, key, user)
                case "answer", str(key), list(states):
                    await answer(journal, model, key, states)
                case "withdraw", str(key), _:
                    await journal.withdraw(said(key, "a").conversation, key)
                    model.open.discard(key)
                case "mark", int(number), str(state):
                    await mark(journal, model, number, next(s for s in STATES if s == state))
                case _:
                    pytest.fail(f"no such act: {act}")
        await compare(journal, model)


async def compare(journal: SqlJournal, model: Model) -> None:
    assert {stored.message.key for stored in await journal.open()} == model.open
    unsent = {part.message.id: (part.message.event, part.state) for part in await journal.unsent()}
    assert unsent == {row: (event, state) for row, (_, event, state) in model.parts.items() if state not in OVER}
    for user in "ab":
        events = await journal.events(said("", user).conversation, after=0, limit=1000)
        assert [number for number, _, _ in events] == list(range(1, model.last[user] + 1))


@settings(max_examples=40, deadline=None)
@given(ACTS)
def test_the_journal_says_what_its_model_says(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, object, object]]
) -> None:
    asyncio.run(play(tmp_path_factory.mktemp("journal"), acts))
