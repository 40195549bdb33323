"""The knowledge opened from the shell: the database and the vectors, both shared with a hub that may run.

Where no hub runs, the configured sources are looked over first, so that the shell sees what the hub would.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from agent.knowledge.archive import Archive
from agent.knowledge.embedding import Embedding
from agent.knowledge.library import open_archive, setup
from agent.knowledge.sources import Sources
from agent.knowledge.vectors.client import Away, Vectors
from config import Config
from memory.store import Store, open_store

PATIENCE = 60.0
"""Seconds that a question from the shell waits for its meaning."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command works with."""

    config: Config
    store: Store
    archive: Archive
    vectors: Vectors | None
    embedding: Embedding | None


@asynccontextmanager
async def open_desk(config: Config) -> AsyncIterator[Desk]:
    """Everything that a command needs, closed at its end."""
    async with (
        open_store(config.storage.url.value, config.hub.data_dir) as store,
        open_archive(store) as archive,
    ):
        wanted = setup(config, (await archive.totals()).identity)
        vectors = Vectors(wanted) if wanted else None
        embedding = Embedding(archive, vectors, wanted) if wanted and vectors else None
        try:
            yield Desk(config, store, archive, vectors, embedding)
        finally:
            if vectors:
                await vectors.close()


def _served(config: Config) -> bool:
    """Whether a hub works in this folder, or may work elsewhere on the same database."""
    if config.storage.url:
        return True
    with suppress(OSError, ValueError):
        os.kill(int((config.hub.data_dir / "hub.pid").read_text(encoding="ascii")), 0)
        return True
    return False


async def look_over(desk: Desk) -> None:
    """Reads what changed in the sources, unless a hub does."""
    if not _served(desk.config):
        await sources(desk).scan()


def sources(desk: Desk) -> Sources:
    """The files and folders of the configuration."""
    return Sources(desk.archive, desk.config.knowledge.sources, most=most(desk.config))


def most(config: Config) -> int:
    """Bytes of the largest file that is read."""
    return config.knowledge.most_megabytes * 2**20


async def embed(desk: Desk) -> None:
    """Makes the vectors now, with a bar on a terminal. Without them the documents are found by word."""
    if desk.embedding is None or not await desk.embedding.behind():
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("vectors", total=None)
        try:
            await desk.embedding.catch_up(lambda made, of: progress.update(task, completed=made, total=of))
        except Away as error:
            sys.stderr.write(f"found by word only for now: {error}\n")
