"""Fills a hub's database with what years of use would leave: rows as the journal and the archive write them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert

from agent.knowledge.archive import Archive
from agent.knowledge.catalogue import Known
from agent.knowledge.document import Document, Slice
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity
from memory.inbox import INBOUND
from memory.store import Store, open_store
from memory.tables import conversations, identities, messages, parts, persons

ACCOUNT = "wx1234567890abcdef"
EACH = 20
"""Messages of one person."""
PASSAGES = 50
"""Passages of one document."""
BATCH = 5000
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
CHARACTERS = "山水花园门票开放时间价格学生老人儿童预约停车餐厅行李讲解步行公里游船索道班酒店早晚全医疗"
WORDS = [a + b for a in CHARACTERS for b in CHARACTERS if a != b]
"""Words of two characters; the first are said often, the last hardly ever, as in any language."""
random.Random(1).shuffle(WORDS)


def words(chance: random.Random, count: int) -> list[str]:
    """So many words, as often as words are said: the n-th with a share of 1/n."""
    return [WORDS[int(len(WORDS) ** chance.random()) - 1] for _ in range(count)]


def fact(number: int) -> str:
    """The passage with this number: always the same."""
    chance = random.Random(number)
    said = "，".join("".join(words(chance, 4)) for _ in range(6))
    return f"{said}。{number % 997}号{chance.choice(WORDS)}每天{chance.randrange(6, 12)}点开始，以公告为准。"


def question(number: int) -> str:
    """What somebody asks about it, with some of its words."""
    chance = random.Random(number)
    return f"{''.join(words(chance, 3))}怎么样，几点开始？"


async def remember(data: Path, count: int) -> int:
    """So many messages with their replies; how many people they are of."""
    people = max(count // EACH, 1)
    async with open_store("", data) as store:
        rows = list(range(1, people + 1))
        await _put(store, persons, ({"id": n, "created_at": SINCE} for n in rows))
        await _put(store, identities, (_identity(n) for n in rows))
        await _put(store, conversations, (_conversation(n) for n in rows))
        await _put(store, messages, (_message(n, people) for n in range(count)))
        await _put(store, parts, (_part(n, people) for n in range(count)))
    return people


async def _put(store: Store, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    for some in _batches(rows):

        def job(connection: Connection, some: list[dict[str, Any]] = some) -> None:
            connection.execute(insert(table), some)

        await store.write(job)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while some := [row for row, _ in zip(rows, range(BATCH), strict=False)]:
        yield some


def _identity(number: int) -> dict[str, Any]:
    who = f"oKnown{number - 1}"
    return {"id": number, "person_id": number, "channel": "oa", "account": ACCOUNT, "user": who, "created_at": SINCE}


def _conversation(number: int) -> dict[str, Any]:
    place = {"channel": "oa", "account": ACCOUNT, "key": f"oKnown{number - 1}", "kind": "private"}
    return {"id": number, **place, "last_event": 2 * EACH + 2}


def _message(number: int, people: int) -> dict[str, Any]:
    who, at = number % people, SINCE + timedelta(seconds=number)
    said = InboundMessage(
        f"s{number}", Conversation("oa", ACCOUNT, f"oKnown{who}"), Identity("oa", ACCOUNT, f"oKnown{who}"), (), at
    )
    return {
        "id": number + 1,
        "conversation_id": who + 1,
        "identity_id": who + 1,
        "channel": "oa",
        "account": ACCOUNT,
        "key": said.key,
        "event": 2 * (number // people) + 1,
        "state": "answered",
        "payload": INBOUND.dump_json(_with_words(said, question(number))).decode(),
        "received_at": at,
        "engine": "extractive",
        "answered_at": at + timedelta(seconds=1),
    }


def _with_words(said: InboundMessage, words: str) -> InboundMessage:
    return InboundMessage(said.key, said.conversation, said.sender, (Text(words),), said.sent_at)


def _part(number: int, people: int) -> dict[str, Any]:
    who, at = number % people, SINCE + timedelta(seconds=number + 1)
    return {
        "message_id": number + 1,
        "conversation_id": who + 1,
        "identity_id": who + 1,
        "event": 2 * (number // people) + 2,
        "first": True,
        "last": True,
        "text": fact(number),
        "citations": [],
        "choices": [],
        "state": "sent",
        "stored_at": at,
        "marked_at": at,
    }


async def shelve(data: Path, count: int) -> None:
    """So many passages, indexed by word, in documents that no file stands behind."""
    async with open_store("", data) as store:
        archive = Archive(store, lambda: SINCE)
        await archive.open()
        for first in range(0, count, PASSAGES):
            numbers = range(first, min(first + PASSAGES, count))
            document = _document(f"bench{first}", [fact(number) for number in numbers])
            known = Known(document.id, document.source, "read", document.title, document.id, 1, 0.0, watched=False)
            await archive.replace(known, document)


def _document(name: str, facts: list[str]) -> Document:
    slices, at = [], 0
    for said in facts:
        slices.append(Slice(f"{name}:{at}", at, at + len(said)))
        at += len(said) + 1
    return Document(name, f"/bench/{name}.md", f"景区手册 {name}", "\n".join(facts), tuple(slices))
