"""Whoever is erased leaves no byte: not in a table, not in the file, its log or its free pages, not in our own log."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, cast, select, update
from sqlalchemy import Text as TextColumn
from structlog.testing import capture_logs

from config.sections import FilesSection
from hub.errors import NotStored
from hub.journal import Piece, Stored
from hub.message import Conversation, InboundMessage, Link, Media, Text
from hub.person import Evidence, Identity
from hub.turn import Answer, Attachment
from memory import confirmations, facts, privacy, summaries
from memory.calls import Call
from memory.files import KeptFiles
from memory.retention import expire
from memory.store import Store
from memory.tables import metadata
from tests.databases import Database
from tests.memory.world import World

MARK = "薰衣草甲壳虫"
USER = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
PLACE = Conversation("oa", "acc", USER)


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def told(key: str = f"{USER}1700000000") -> InboundMessage:
    """Everything that a message can hold, its own key among it."""
    parts = (
        Text(f"请记住我的口令是{MARK}，手机13812345678"),
        Media("file", f"ref-{MARK}", f"{MARK}.txt", words=MARK),
        Link(f"https://a.example/{MARK}", MARK, MARK),
    )
    proof = (Evidence("unionid", f"union-{MARK}"),)
    return InboundMessage(key, PLACE, Identity("oa", "acc", USER), parts, context=f"quote {MARK}", evidence=proof)


async def live(world: World) -> Stored:
    """Leaves something of this person wherever something can be left."""
    stored = await world.journal.accept(told(), now=world.now)
    stored = await world.mind.identify(stored)
    kept = KeptFiles(world.store, read, FilesSection(), lambda: world.now)
    assert (await kept.take(stored, fetch)).read
    await world.journal.keep_live(stored, f"card-{MARK}")
    call = Call(1, "orders", f'{{"name": "{MARK}"}}', "done", f"result {MARK}")
    await world.journal.record_tool_call(stored.turn, call, now=world.now)
    until = world.now + timedelta(minutes=10)
    args = f'{{"name": "{MARK}"}}'
    await world.store.write(lambda c: confirmations.ask(c, stored.turn, "refund", args, now=world.now, until=until))
    parts = [Piece(f"您说{MARK}"), Piece(f"还有{MARK}")]
    answer = Answer(f"您说{MARK}", engine="scripted")
    await world.journal.answer(stored, answer, parts, now=world.now, states=["waiting", "failed"])
    await world.mind.learn(stored, answer)
    for words in (f"/memory forbid {MARK}甲", "/link", f"/link {MARK[:2]}ABCDEF23", "/forget"):
        await world.say(f"oa:{USER}", words)
    row = await world.store.read(lambda c: privacy.identity(c, "oa", USER))
    await world.store.write(
        lambda c: summaries.put(c, row, facts.PRIVATE, f"谈过{MARK}", stored.id, world.now, now=world.now)
    )
    await world.journal.say(stored.place, f"人工：{MARK}", now=world.now)
    return stored


async def read(media: Media, data: bytes) -> Attachment:
    return Attachment(media.name, data.decode())


async def fetch(media: Media) -> bytes:
    return f"文件里的{MARK}".encode()


async def erase(world: World, user: str) -> None:
    person = await world.store.read(lambda c: privacy.find(c, "oa", user))
    assert person is not None
    await world.store.write(lambda c: privacy.erase(c, person, by="operator", now=world.now))


async def left(world: World, database: Database, *marks: str, rewritten: bool = True) -> list[str]:
    """Where something of it stands: the columns of all tables, and the bytes of all files.

    `rewritten`: also of PostgreSQL's, which holds what was deleted until its tables are written anew.
    """
    columns = [(table, column) for table in metadata.sorted_tables for column in table.columns]

    def holding(connection: object) -> list[str]:
        return [
            f"{table.name}.{column.name}"
            for table, column in columns
            for mark in marks
            if connection.execute(select(table).where(cast(column, TextColumn).contains(mark)).limit(1)).first()  # type: ignore[attr-defined]
        ]

    found = await world.store.read(holding)
    if not database.url:
        return found + await asyncio.to_thread(in_files, database.folder, marks)
    return found + (await asyncio.to_thread(in_relations, database.url, marks) if rewritten else [])


def in_files(folder: Path, marks: tuple[str, ...]) -> list[str]:
    files = [(file, file.read_bytes()) for file in folder.rglob("*") if file.is_file()]
    return [file.name for file, held in files if any(mark.encode() in held for mark in marks)]


def in_relations(url: str, marks: tuple[str, ...]) -> list[str]:
    """The tables and indexes of PostgreSQL whose files hold it; the server reads them itself."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CHECKPOINT")
        files = server.execute(
            "SELECT relname, pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
            "WHERE relkind IN ('r', 'i', 't') AND relfilenode > 0"
        ).fetchall()
    return [name for name, held in files if any(mark.encode() in held for mark in marks)]


async def test_an_erased_person_is_in_no_table_no_file_and_no_log(world: World, database: Database) -> None:
    with capture_logs() as log:
        await live(world)
        assert len(await left(world, database, MARK, USER)) > 10
        for who in (USER, f"oa:{USER}"):
            await erase(world, who)
        assert await world.store.scrub()

    assert await left(world, database, MARK, USER) == []
    assert MARK not in str(log)
    assert USER not in str(log)


async def test_a_late_redelivery_does_not_bring_them_back_though_its_key_names_them(
    world: World, database: Database
) -> None:
    await live(world)
    await erase(world, USER)
    again = await world.journal.accept(told(), now=world.now)
    later = await world.journal.accept(replace(told(), key=f"{USER}1700000001"), now=world.now)

    assert (again.fresh, again.open) == (False, False)
    assert later.fresh


async def test_what_was_forgotten_leaves_the_files_at_once_and_what_is_old_with_its_time(
    world: World, database: Database
) -> None:
    await world.say("oa:lin", f"请记住我的口令是{MARK}")
    question = await world.say("oa:lin", "/forget")
    await world.say("oa:lin", question.split("「")[1].split("」")[0])
    assert await left(world, database, MARK, rewritten=False) == []
    stored = await live(world)
    await world.store.write(lambda c: c.execute(metadata.tables["bans"].delete()))
    await world.store.write(lambda c: c.execute(metadata.tables["evidence"].delete()))
    world.now += timedelta(days=31)

    assert await expire(world.store, 30, now=world.now) >= 5
    assert await left(world, database, MARK, rewritten=False) == []
    assert (await world.journal.accept(told(), now=world.now)).id == stored.id


async def test_who_is_erased_while_they_are_answered_leaves_nothing_behind(world: World, database: Database) -> None:
    stored = await world.journal.accept(told("k1"), now=world.now)
    person = stored.person.id
    await world.store.write(lambda c: privacy.erase(c, person, by="operator", now=world.now))
    answer = Answer(MARK, engine="scripted")

    assert await world.journal.answer(stored, answer, [Piece(MARK)], now=world.now, states=["waiting"]) == []
    for late in (world.mind.learn(stored, answer), world.mind.identify(stored)):
        with pytest.raises(NotStored):
            await late
    kept = KeptFiles(world.store, read, FilesSection(), lambda: world.now)
    await kept.take(stored, fetch)
    assert not await world.journal.record_tool_call(stored.turn, Call(1, "orders", MARK), now=world.now)
    await world.store.scrub()
    assert await left(world, database, MARK, USER) == []


async def test_somebody_with_very_many_messages_is_erased(world: World, database: Database) -> None:
    stored = await world.journal.accept(told("k1"), now=world.now)
    messages = metadata.tables["messages"]

    def many(connection: object) -> None:
        row = dict(connection.execute(select(messages).where(messages.c.id == stored.id)).mappings().one())  # type: ignore[attr-defined]
        del row["id"]
        connection.execute(messages.insert(), [{**row, "key": f"m{n}", "event": n + 2} for n in range(1200)])  # type: ignore[attr-defined]

    await world.store.write(many)
    await world.store.write(lambda c: privacy.erase(c, stored.person.id, by="operator", now=world.now))

    await world.store.scrub()
    assert await left(world, database, USER, MARK) == []


async def test_a_database_that_is_in_use_by_another_is_said_to_hold_the_bytes_still(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.store.sqlite.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("memory.store.sqlite.EMPTIED", 2)
    monkeypatch.setattr("memory.store.postgresql.REWRITTEN_WITHIN", "50ms")
    monkeypatch.setattr("memory.store.postgresql.PAUSES", (0.01,))
    await world.say(f"oa:{USER}", MARK)
    async with database.opened() as other:
        begun, free = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def hold(connection: Connection) -> None:
            connection.execute(update(metadata.tables["messages"]).values(attempts=1))
            loop.call_soon_threadsafe(begun.set)
            free.wait(20)

        holding = asyncio.create_task(other.write(hold))
        await begun.wait()
        with capture_logs() as log:
            assert not await world.store.scrub()
        free.set()
        await holding
    assert [line["log_level"] for line in log] == ["warning"]
    assert MARK not in str(log)
    assert await world.store.scrub()
