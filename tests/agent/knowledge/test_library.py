import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from agent.knowledge.archive import Archive
from agent.knowledge.library import Library, now, open_library
from config import Config, load
from hub.coordination import Lease, Leases
from hub.coordination.local import local as local_coordination
from memory.store import SqliteStore
from tests.agent.knowledge.conftest import in_file
from tests.agent.knowledge.library import MEMBERS, SHIPPING, made

HUB = """
[hub]
data_dir = "data"
[knowledge]
sources = ["knowledge"]
embedding = "none"
"""


def configured(folder: Path) -> Config:
    (folder / "knowledge").mkdir()
    (folder / "knowledge" / "shipping.md").write_text(SHIPPING, encoding="utf-8")
    (folder / "hub.toml").write_text(HUB, encoding="utf-8")
    return load(folder / "hub.toml", {})


async def first(library: Library, question: str) -> str:
    found = await library.search(question)
    return found.passages[0].text if found.passages else ""


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await wanted():  # noqa: ASYNC110 — what is waited for happens in the database
            await asyncio.sleep(0.02)


async def test_when_it_is_open_the_sources_are_read(file: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    async with in_file(file, tmp_path) as store, open_library(config, store) as library:
        assert await library.ready()
        assert "九十九元免运费" in await first(library, "满多少元免运费")
        assert (await library.search("满多少元免运费")).confidence > 0.5


async def test_a_change_of_a_file_is_found_and_makes_the_version_grow(file: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    async with in_file(file, tmp_path) as store, open_library(config, store) as library:
        before = library.version
        (tmp_path / "knowledge" / "members.md").write_text(MEMBERS, encoding="utf-8")

        async def there() -> bool:
            return "第十七天" in await first(library, "会员日是哪一天")

        async def newer() -> bool:
            return library.version > before

        await until(there)
        await until(newer)


async def test_a_change_by_another_process_makes_the_version_grow(file: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    async with in_file(file, tmp_path) as store, open_library(config, store) as library:
        before, other = library.version, SqliteStore(tmp_path / "data" / "hub.db")
        await Archive(other, now).replace(*made("members", MEMBERS))
        await other.close()

        async def grown() -> bool:
            return library.version > before

        await until(grown)
        assert "第十七天" in await first(library, "会员日是哪一天")


async def test_what_was_read_is_there_after_a_restart_and_is_not_read_again(file: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    async with in_file(file, tmp_path) as store:
        async with open_library(config, store) as library:
            version = library.version
        async with open_library(config, store) as library:
            assert library.version == version
            assert "九十九元免运费" in await first(library, "满多少元免运费")


async def test_among_replicas_one_reads_the_sources_and_all_find(file: Path, tmp_path: Path) -> None:
    config, leases = configured(tmp_path), local_coordination().leases
    async with (
        in_file(file, tmp_path) as store,
        open_library(config, store, leases) as reads,
        open_library(config, store, leases) as finds,
    ):
        assert "九十九元免运费" in await first(reads, "满多少元免运费")
        assert await first(finds, "满多少元免运费") == await first(reads, "满多少元免运费")


async def test_a_replica_that_loses_its_lease_stops_reading(file: Path, tmp_path: Path) -> None:
    config, leases = configured(tmp_path), Losing(local_coordination().leases)
    async with in_file(file, tmp_path) as store, open_library(config, store, leases) as library:
        leases.lose.set()
        await leases.let_go.wait()

        assert "九十九元免运费" in await first(library, "满多少元免运费")


async def test_nothing_is_found_while_the_database_is_away(file: Path, tmp_path: Path) -> None:
    config = configured(tmp_path)
    async with in_file(file, tmp_path) as store, open_library(config, store) as library:
        (tmp_path / "data" / "hub.db").rename(tmp_path / "away.db")
        (tmp_path / "data" / "hub.db").mkdir()
        store._reader.dispose()

        assert (await library.search("满多少元免运费")).passages == ()

        (tmp_path / "data" / "hub.db").rmdir()
        (tmp_path / "away.db").rename(tmp_path / "data" / "hub.db")


class Losing:
    """Leases that a test can take away."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.lose = asyncio.Event()
        self.let_go = asyncio.Event()

    def hold(self, name: str) -> AbstractAsyncContextManager[Lease]:
        return self._hold(name)

    @asynccontextmanager
    async def _hold(self, name: str) -> AsyncIterator[Lease]:
        async with self._leases.hold(name):
            yield self
        self.let_go.set()

    async def lost(self) -> None:
        await self.lose.wait()
