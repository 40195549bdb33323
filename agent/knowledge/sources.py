"""Keeps the knowledge as the configured files and folders are: at start, and while the hub runs.

A change is noticed by the operating system's own notices, and by looking again every half minute where those do
not come (network drives, a folder that appears later). Either way all sources are looked over: what has the time
and the size that are known is not opened. A folder that is not there at all is taken for a drive that is away:
what was read of it stays.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from watchfiles import awatch

from agent.knowledge.archive import Archive
from agent.knowledge.catalogue import Known
from agent.knowledge.chunks import document
from agent.knowledge.readers import NotRead, readable
from agent.knowledge.reading import Readers

AGAIN = 30.0
"""Seconds after which the sources are looked over without a notice."""
WITHOUT_NOTICES = 3.0
"""The same where the system gives no notices."""
TOGETHER = 200
"""Milliseconds in which notices are taken together."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it lies there: `modified` and `size` tell whether it has to be opened."""

    path: Path
    size: int
    modified: float

    @classmethod
    def of(cls, path: Path) -> "Seen":
        """Raises OSError."""
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime)


def identity(source: str) -> str:
    """The id of a document: the same whenever the same source is read."""
    return hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def files(source: Path) -> Iterator[Seen]:
    """The readable files of a source; of folders all but hidden ones, links to folders not followed."""
    alone: Iterable[tuple[str, list[str], list[str]]] = [(str(source.parent), [], [source.name])]
    for folder, inner, names in os.walk(source) if source.is_dir() else alone:
        inner[:] = sorted(name for name in inner if not name.startswith((".", "__")))
        for name in sorted(names):
            with suppress(OSError):
                if readable(path := Path(folder, name)) and path.is_file():
                    yield Seen.of(path)


class Sources:
    """Reads what is new, replaces what changed, forgets what is gone."""

    def __init__(self, archive: Archive, roots: Sequence[Path], *, most: int) -> None:
        self._archive = archive
        self._roots = [Path(os.path.abspath(root)) for root in roots]
        self._most = most
        self._noticed = asyncio.Event()
        self._again = AGAIN

    def holds(self, path: Path) -> bool:
        """Whether it lies under a source."""
        return any(path.is_relative_to(root) for root in self._roots)

    async def keep(self) -> AsyncGenerator[bool, None]:
        """Looks the sources over again and again; yields after each time whether something changed."""
        watch: asyncio.Task[None] | None = None
        watched: set[tuple[Path, int]] = set()
        try:
            while True:
                there = await asyncio.to_thread(self._there)
                if watch is None or watch.done() or there != watched:
                    await _ended(watch)
                    watch, watched = asyncio.create_task(self._watch([root for root, _ in there])), there
                self._noticed.clear()
                yield await self.scan()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._again):
                        await self._noticed.wait()
        finally:
            await _ended(watch)

    def _there(self) -> set[tuple[Path, int]]:
        """The sources that are there now, and which ones: a folder made again is another one."""
        found = set()
        for root in self._roots:
            with suppress(OSError):
                found.add((root, root.stat().st_ino))
        return found

    async def _watch(self, roots: Sequence[Path]) -> None:
        """Takes the system's notices."""
        if not roots:
            return
        try:
            async with aclosing(awatch(*roots, debounce=TOGETHER, step=50)) as notices:
                async for _ in notices:
                    self._noticed.set()
        except (OSError, RuntimeError) as error:
            log.warning("the system gives no notice of changed files", why=str(error))
            self._again = WITHOUT_NOTICES

    async def scan(self) -> bool:
        """One look at all sources; whether something changed."""
        known = await self._archive.known()
        there = await asyncio.to_thread(lambda: {str(s.path): s for root in self._roots for s in files(root)})
        new = [seen for source, seen in there.items() if _differs(seen, known.get(source))]
        gone = [one for one in known.values() if one.watched and one.source not in there and self._gone(one.source)]
        readers = Readers(self._most)
        try:
            read = [await bring(self._archive, seen, known.get(str(seen.path)), readers, watched=True) for seen in new]
        finally:
            await readers.close()
        if gone:
            await self._archive.forget([one.id for one in gone])
        if any(read) or gone:
            log.info("the knowledge is up to date again", read=sum(read), gone=len(gone))
        return any(read) or bool(gone)

    def _gone(self, source: str) -> bool:
        """Whether a file that was not met is gone, and not just out of reach."""
        roots = [root for root in self._roots if Path(source).is_relative_to(root)]
        return all(root.is_dir() or source == str(root) for root in roots)


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _differs(seen: Seen, known: Known | None) -> bool:
    """Whether a file has to be opened."""
    return known is None or not known.watched or (known.size, known.modified) != (seen.size, seen.modified)


async def bring(archive: Archive, seen: Seen, known: Known | None, readers: Readers, *, watched: bool) -> bool:
    """Brings one file into the archive; False when it says what is known. A broken one is logged and left out."""
    source = str(seen.path)
    about = Known(identity(source), source, "read", seen.path.stem, "", seen.size, seen.modified, watched)
    try:
        file = await readers.read(seen.path, known.digest if known else "")
    except NotRead as error:
        log.warning("a file of the knowledge is left out", file=source, why=str(error))
        await archive.replace(replace(about, state="broken", why=str(error)), None)
        return True
    if file.reading is None:
        assert known is not None  # noqa: S101 — for the type checker; its digest was the known one
        await archive.touch(replace(known, size=seen.size, modified=seen.modified, watched=watched))
        return False
    made = await asyncio.to_thread(document, about.id, source, file.reading, seen.path.stem)
    await archive.replace(replace(about, title=made.title, url=made.url, digest=file.digest), made)
    log.debug("a document was read", file=source, passages=len(made.slices))
    return True
