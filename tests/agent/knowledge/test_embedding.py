import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.knowledge.archive import Archive
from agent.knowledge.embedding import Embedding
from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.client import Vectors
from tests.agent.knowledge.library import MEMBERS, SHELF, made


class Kept(Vectors):
    """Vectors in a dictionary; `calls` says what was done, `changed` that something was."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.texts: dict[str, str] = {}
        self.calls: list[str] = []
        self.changed = asyncio.Event()

    def _did(self, call: str) -> None:
        self.calls.append(call)
        self.changed.set()

    @property
    def connected(self) -> bool:
        return bool(self.texts)

    async def connect(self) -> None:
        self._did("connect")

    async def missing(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        return sorted(set(keys) - self.texts.keys()), sorted(self.texts.keys() - set(keys))

    async def put(self, passages: Mapping[str, str], *, urgent: bool = False) -> None:
        self.texts.update(passages)
        self._did(f"put {len(passages)}")

    async def drop(self, keys: Sequence[str]) -> None:
        for key in keys:
            del self.texts[key]
        self._did(f"drop {len(keys)}")

    async def close(self) -> None:
        self._did("close")


async def filled(archive: Archive) -> Archive:
    for name, text in SHELF.items():
        await archive.replace(*made(name, text))
    return archive


async def test_what_is_missing_is_made_and_what_is_gone_is_dropped(local: Archive, tmp_path: Path) -> None:
    vectors = Kept(setup := Setup(tmp_path / "vectors", "test"))
    embedding = Embedding(await filled(local), vectors, setup)
    await embedding.catch_up()
    await local.replace(*made("members", MEMBERS.replace("十七", "九")))
    await embedding.catch_up()

    assert vectors.calls == ["put 3", "put 1", "drop 1"]
    assert any("第九天" in text for text in vectors.texts.values())
    assert not any("第十七天" in text for text in vectors.texts.values())


async def test_the_note_says_which_version_has_its_vectors(local: Archive, tmp_path: Path) -> None:
    vectors = Kept(setup := Setup(tmp_path / "vectors", "test"))
    embedding = Embedding(await filled(local), vectors, setup)
    seen = [await embedding.behind()]
    await embedding.catch_up()
    seen.append(await embedding.behind())
    seen.append(await Embedding(local, vectors, Setup(tmp_path / "vectors", "test", embedding="openai")).behind())
    await local.forget(["members"])
    seen.append(await embedding.behind())

    assert seen == [True, False, True, True]


async def test_who_waits_is_told_how_far_it_is(local: Archive, tmp_path: Path) -> None:
    vectors = Kept(setup := Setup(tmp_path / "vectors", "test"))
    told: list[tuple[int, int]] = []
    await Embedding(await filled(local), vectors, setup).catch_up(lambda made, of: told.append((made, of)))

    assert told == [(0, 3)]


async def test_vectors_are_made_when_all_is_quiet_and_their_owner_is_let_go(local: Archive, tmp_path: Path) -> None:
    vectors = Kept(setup := Setup(tmp_path / "vectors", "test"))
    running = asyncio.create_task(Embedding(await filled(local), vectors, setup, quiet=0.05).run())
    await until(vectors, "close")
    running.cancel()

    assert vectors.calls == ["put 3", "close"]


async def test_a_question_hurries_it_keeps_the_owner_and_has_it_started_again(local: Archive, tmp_path: Path) -> None:
    vectors = Kept(setup := Setup(tmp_path / "vectors", "test"))
    embedding = Embedding(await filled(local), vectors, setup, quiet=60)
    running = asyncio.create_task(embedding.run())
    embedding.hurry()
    await until(vectors, "put 3")
    await local.forget(["members"])
    embedding.wake()
    await until(vectors, "drop 1")
    vectors.texts.clear()
    embedding.hurry()
    await until(vectors, "connect")
    running.cancel()

    assert vectors.calls == ["put 3", "drop 1", "connect"]


async def until(vectors: Kept, call: str) -> None:
    async with asyncio.timeout(20):
        while call not in vectors.calls:
            vectors.changed.clear()
            await vectors.changed.wait()
