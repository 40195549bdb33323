"""The knowledge of the hub: the port that the agent asks, and what runs beside to keep it up to date."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from agent.engine import Found
from agent.knowledge.archive import Archive
from agent.knowledge.embedding import Embedding
from agent.knowledge.search import Search
from agent.knowledge.sources import Sources
from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.client import Vectors
from config import Config
from config.sections import KnowledgeSection
from hub.coordination import Leases
from hub.errors import NotStored
from memory.store import Store

FIRST = 2.0
"""Seconds that the start waits for the first look at the sources: some hundred short files."""
TICK = 1.0
"""Seconds between two looks at the version: a shell command or another replica may have changed it."""
AFTER_A_FAULT = 10.0

log = structlog.get_logger()


def now() -> datetime:
    """The clock of the archive."""
    return datetime.now(UTC)


def setup(config: Config, identity: str) -> Setup | None:
    """What the vectors' owner is told; None where the settings want no vectors."""
    section: KnowledgeSection = config.knowledge
    if section.embedding == "none":
        return None
    model = section.embedding_model
    return Setup(
        folder=config.hub.data_dir.absolute() / "vectors",
        collection=identity,
        store=section.store,
        embedding=section.embedding,
        model=model.name,
        url=model.base_url,
        key=model.api_key.value if model.api_key else "",
        timeout=model.timeout,
    )


class Library:
    """Searches; keeps itself up to date while it is open."""

    def __init__(self, archive: Archive, search: Search, sources: Sources, embedding: Embedding | None) -> None:
        self._archive = archive
        self._search = search
        self._sources = sources
        self._embedding = embedding
        self._version = 0
        self._looked = asyncio.Event()
        if embedding:
            search.on_meaning = embedding.hurry

    @property
    def version(self) -> int:
        """Grows with every change, at the latest a second after it."""
        return self._version

    async def search(self, question: str, *, limit: int = 6) -> Found:
        """Passages, best first. Nothing is found while the database is away: that is logged there."""
        try:
            return await self._search.search(question, limit=limit)
        except NotStored:
            return Found()

    async def ready(self) -> bool:
        """Whether the sources were looked at once, or the time for that is over."""
        return self._looked.is_set()

    async def start(self) -> None:
        """Returns when the sources were looked at, or after a while; reading goes on then."""
        self._version = await self._archive.version()
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST):
                await self._looked.wait()
        self._looked.set()

    def works(self, leases: Leases | None) -> list[Coroutine[None, None, None]]:
        """What runs beside."""
        embedding = [_again_and_again(self._embedding.run, "vectors")] if self._embedding else []
        return [
            _again_and_again(lambda: self._keep(leases), "sources"),
            _again_and_again(self._tick, "version"),
            *embedding,
        ]

    async def _keep(self, leases: Leases | None) -> None:
        """Only one replica reads the sources."""
        if leases is None:
            await self._read()
            return
        async with leases.hold("knowledge") as lease:
            reading, lost = asyncio.create_task(self._read()), asyncio.create_task(lease.lost())
            try:
                await asyncio.wait([reading, lost], return_when=asyncio.FIRST_COMPLETED)
            finally:
                reading.cancel()
                lost.cancel()
                await asyncio.gather(reading, lost, return_exceptions=True)
        if not reading.cancelled():
            reading.result()

    async def _read(self) -> None:
        async with aclosing(self._sources.keep()) as looks:
            async for changed in looks:
                if changed:
                    await self._look()
                self._looked.set()

    async def _tick(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(TICK)

    async def _look(self) -> None:
        version = await self._archive.version()
        if version != self._version:
            self._version = version
            if self._embedding:
                self._embedding.wake()


async def _again_and_again(work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
    """What runs beside the hub runs as long as the hub: a database that is away comes back."""
    while True:
        try:
            await work()
        except NotStored:
            await asyncio.sleep(AFTER_A_FAULT)
        except Exception:
            log.exception("the knowledge is not kept up to date", part=name)
            await asyncio.sleep(AFTER_A_FAULT)


@asynccontextmanager
async def open_archive(store: Store) -> AsyncIterator[Archive]:
    """The documents, whole after whatever happened before."""
    archive = Archive(store, now)
    await archive.open()
    yield archive


@asynccontextmanager
async def open_library(config: Config, store: Store, leases: Leases | None = None) -> AsyncIterator[Library]:
    """The knowledge, kept up to date while the block lasts. `leases`: among replicas one reads the sources."""
    async with open_archive(store) as archive:
        section = config.knowledge
        wanted = setup(config, (await archive.totals()).identity)
        vectors = Vectors(wanted) if wanted else None
        embedding = Embedding(archive, vectors, wanted) if wanted and vectors else None
        sources = Sources(archive, section.sources, most=section.most_megabytes * 2**20)
        library = Library(archive, Search(archive, vectors, starts=False), sources, embedding)
        tasks = [asyncio.create_task(work) for work in library.works(leases)]
        try:
            await library.start()
            yield library
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if vectors:
                await vectors.close()
