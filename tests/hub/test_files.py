"""What people send besides words: read once, at hand for their own questions in that place, and for nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from config.sections import FilesSection
from hub.files import Files
from hub.message import InboundMessage, Media, Text
from hub.texts import texts
from hub.turn import Answer, Attachment, Turn, TurnEvent
from memory import privacy
from memory.files import KeptFiles
from memory.store import Store
from memory.tables import files
from tests.hub.stage import Stage, said, stage

ZH = texts("zh")
PRICES = Attachment("报价.txt", "门票八十元")


async def decoded(media: Media, data: bytes) -> Attachment | None:
    """A reader that knows one format, and takes any picture."""
    if media.kind == "image":
        return Attachment(picture=data, media_type="image/png")
    return Attachment(media.name, data.decode()) if media.name.endswith(".txt") else None


def kept(
    clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, pictures: bool = False, **bounds: object
) -> Callable[[Store], Files]:
    section = FilesSection.model_validate(bounds)
    return lambda store: KeptFiles(store, decoded, section, clock, pictures=pictures)


def sent(*parts: Media | Text, user: str = "lin", key: str = "") -> InboundMessage:
    """A message with files in it."""
    return replace(said("", user=user, key=key), parts=parts)


def file(reference: str = "m1", name: str = "报价.txt") -> Media:
    return Media("file", reference, name)


async def hear(hub: Stage, *messages: InboundMessage) -> None:
    hub.channel.media = {"m1": "门票八十元".encode(), "m2": b"two", "m3": b"three", "m4": b"four"}
    for message in messages:
        await hub.gateway.accept(message)
    await hub.settled()


async def test_a_file_by_itself_is_read_and_may_then_be_asked_about(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, sent(file()), said("门票多少钱"), said("学生呢"))

        assert hub.channel.texts[0] == ZH.file_read.format(names="报价.txt")
        assert [turn.attachments for turn in hub.agent.asked] == [(PRICES,), (PRICES,)]
        assert hub.channel.fetched == ["m1"]


async def test_a_file_with_words_belongs_to_these_words(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, sent(Text("门票多少钱"), file()))

        assert [(turn.text, turn.attachments) for turn in hub.agent.asked] == [("门票多少钱", (PRICES,))]


async def test_nobody_else_is_answered_from_a_file(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        stranger = said("门票多少钱", user="wang")
        in_a_group = replace(said("门票多少钱", user="wang"), conversation=sent(file()).conversation)
        await hear(hub, sent(file()), stranger, in_a_group)

        assert [turn.attachments for turn in hub.agent.asked] == [(), ()]


async def test_what_can_not_be_read_is_said_so(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, sent(file("gone")), sent(file(name="程序.exe")), sent(Media("image", "m1")))

        assert hub.channel.texts == [ZH.file_unread, ZH.file_unread, ZH.only_words]
        assert hub.agent.asked == []


async def test_a_picture_is_shown_to_a_model_that_takes_them_with_the_question_that_follows(tmp_path: Path) -> None:
    seen = Attachment(picture="门票八十元".encode(), media_type="image/png")
    async with stage(tmp_path, files=kept(pictures=True)) as hub:
        await hear(hub, sent(Media("image", "m1")), said("这是什么"))

        assert hub.channel.texts == [ZH.picture_seen, "echo:这是什么"]
        assert hub.agent.asked[0].attachments == (seen,)


async def test_a_picture_that_nobody_looks_at_is_said_so_below_the_answer(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, sent(Text("这是什么"), Media("image", "m1")))

        assert hub.channel.texts == [f"echo:这是什么\n\n{ZH.not_seen}"]
        assert hub.channel.fetched == []


async def test_a_large_file_is_not_even_fetched(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept(megabytes=1)) as hub:
        await hear(hub, sent(replace(file(), size=(1 << 20) + 1)))

        assert (hub.channel.texts, hub.channel.fetched) == ([ZH.file_unread], [])


async def test_the_newest_files_are_at_hand_and_old_ones_are_erased(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with stage(tmp_path, files=kept(lambda: now, most=2, hours=1)) as hub:
        await hear(hub, *(sent(file(f"m{n}", f"{n}.txt")) for n in (2, 3, 4)), said("哪些"))
        now += timedelta(hours=2)
        await hear(hub, said("还在吗"), sent(file()), said("新的呢"))
        count = await hub.store.read(lambda connection: connection.execute(select(func.count(files.c.id))).scalar())

        names = [[each.name for each in turn.attachments] for turn in hub.agent.asked]
        assert names == [["3.txt", "4.txt"], [], ["报价.txt"]]
        assert count == 1


async def test_a_file_that_was_being_read_at_a_crash_is_read_after_it(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def never(media: Media, data: bytes) -> Attachment | None:
        asked.set()
        await asyncio.Event().wait()
        return None

    def stuck(store: Store) -> Files:
        return KeptFiles(store, never, FilesSection(), lambda: datetime.now(UTC))

    async with stage(tmp_path, files=stuck) as hub:
        hub.channel.media = {"m1": b"x"}
        await hub.gateway.accept(sent(file()))
        await asyncio.wait_for(asked.wait(), 10)
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, said("门票多少钱"))

        assert hub.agent.asked[-1].attachments in ((PRICES,), ())
        assert hub.channel.texts[0] in (ZH.file_read.format(names="报价.txt"), ZH.file_unread)


async def test_a_file_is_at_hand_after_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, sent(file()))
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, said("门票多少钱"))

        assert hub.agent.asked[-1].attachments == (PRICES,)


async def test_a_turn_that_runs_again_keeps_a_file_once(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def stuck(turn: Turn) -> AsyncIterator[TurnEvent]:
        ended.set()
        await asyncio.Event().wait()
        yield Answer("nie")

    async with stage(tmp_path, files=kept(), script=stuck) as hub:
        hub.channel.media = {"m1": "门票八十元".encode()}
        await hub.gateway.accept(sent(Text("门票多少钱"), file()))
        await asyncio.wait_for(ended.wait(), 10)
    async with stage(tmp_path, files=kept()) as hub:
        hub.channel.media = {"m1": "门票八十元".encode()}
        await hub.settled()

        assert [turn.attachments for turn in hub.agent.asked] == [(PRICES,)] or not hub.agent.asked
        count = await hub.store.read(lambda connection: connection.execute(select(func.count(files.c.id))).scalar())
        assert count == 1


async def test_who_is_forgotten_leaves_no_file(tmp_path: Path) -> None:
    async with stage(tmp_path, files=kept()) as hub:
        await hear(hub, sent(file()))

        def forget(connection: object) -> tuple[int, list[object]]:
            person = privacy.find(connection, "main", "lin")  # type: ignore[arg-type]  # it is a Connection
            shown = privacy.export(connection, person or 0)["files"]  # type: ignore[arg-type]
            privacy.forget(connection, person or 0, by="test", now=datetime.now(UTC))  # type: ignore[arg-type]
            return connection.execute(select(func.count(files.c.id))).scalar(), shown  # type: ignore[attr-defined]

        left, shown = await hub.store.write(forget)
        assert (left, len(shown)) == (0, 1)
