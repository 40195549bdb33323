"""What both databases share: one writer thread with group commit, and readers beside it.

The writer takes all jobs that wait, runs them in one transaction, commits once, and only then tells anybody. A job
that fails, fails alone; how that is held is each database's own (`_commit`). Readers share a snapshot in the same way,
a few jobs at a time so that none waits long for its neighbours. Waking a thread, and a transaction, cost more than most
jobs (measured with 64 people who have a history: 5.7 ms of CPU a message with a thread and a snapshot for each
reading, 3.5 with shared ones).
"""

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from pydantic_core import to_json
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from hub.errors import NotStored

log = structlog.get_logger()

T = TypeVar("T")
Job = Callable[[Connection], T]

GROUP = 512
"""Most jobs in one commit."""
SHARED = 8
"""Jobs on one snapshot, at which a reader takes no more."""


@dataclass(slots=True)
class Queued:
    """A job that waits for the writer, and what came of it."""

    job: Job[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class Hands:
    """Threads that work on what waits; a thread takes more until it has `most` jobs.

    `work` notes what came of each and raises nothing.
    """

    def __init__(self, name: str, count: int, most: int, work: Callable[[list[Queued]], None]) -> None:
        self._most = most
        self._do = work
        self._gathered: dict[asyncio.AbstractEventLoop, list[Queued]] = {}
        self._jobs: queue.SimpleQueue[list[Queued] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    async def do(self, job: Job[T]) -> T:
        """What the job returns. Whoever is cancelled here hears nothing more; the job is done all the same."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        gathered = self._gathered.setdefault(loop, [])
        if not gathered:
            loop.call_soon(self._hand_over, loop)
        gathered.append(Queued(job, future, loop))
        return await future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """What one round of the event loop gives."""
        gathered = self._gathered.pop(loop, [])
        for first in range(0, len(gathered), self._most):
            self._jobs.put(gathered[first : first + self._most])

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """What was given is done, and nothing after it."""
        self._hand_over(loop)
        for _ in self._threads:
            self._jobs.put(None)

    def join(self) -> None:
        """Waits until the threads have ended."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        given: list[Queued] | None = []
        while given is not None:
            given = self._jobs.get()
            jobs = given or []
            with suppress(queue.Empty):
                while given is not None and len(jobs) < self._most:
                    given = self._jobs.get_nowait()
                    jobs += given or []
            if jobs:
                self._do(jobs)
                _resolve(jobs)


class Store(ABC):
    """Runs functions in transactions. They are short, and have no effect outside the database: one may run twice."""

    dialect: str

    def __init__(self, writer: Engine, reader: Engine, readers: int) -> None:
        self._writer = writer
        self._reader = reader
        self._writing = Hands("writer", 1, GROUP, self._commit)
        self._reading = Hands("reader", readers, SHARED, self._look)
        self._closed = False

    async def write(self, job: Job[T]) -> T:
        """Runs it in a transaction that is committed when this returns. Raises NotStored, or what the job raises."""
        self._refuse_closed()
        return await self._writing.do(job)

    async def read(self, job: Job[T]) -> T:
        """Runs it on a snapshot. Raises NotStored, or what the job raises."""
        self._refuse_closed()
        return await self._reading.do(job)

    def _refuse_closed(self) -> None:
        """Nobody works on the queue any more: a job would wait for ever."""
        if self._closed:
            raise NotStored("the database is closed")

    async def scrub(self, *, whole: bool = True) -> bool:
        """Takes the bytes of what was deleted out of the files; `whole` rewrites them, which is slow where much is.

        SQLite zeroes what is deleted, so that only its log still holds it; a page that was put in order may, too.
        PostgreSQL leaves it where it stood until the space is used again, and does nothing here unless it is `whole`.
        False, with a warning, where that could not be done, because others are at work on the database.
        """
        done = await asyncio.to_thread(self._scrub, whole)
        if not done:
            log.warning("the database could not be written anew, so its files still hold bytes of what was erased")
        return done

    async def answers(self) -> bool:
        """Whether the database takes queries."""
        try:
            await self.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        except NotStored:
            return False
        return True

    async def close(self) -> None:
        """Finishes what was given to it, and closes all connections."""
        if not self._closed:
            self._closed = True
            for hands in (self._reading, self._writing):
                hands.close(asyncio.get_running_loop())
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._reading.join()
        self._writing.join()
        self._reader.dispose()
        self._writer.dispose()

    def _look(self, jobs: list[Queued]) -> None:
        """The jobs on one snapshot; those after one that fails on another: a database may take no more on the first."""
        rest = deque(jobs)
        while rest:
            self._look_at_once(rest)

    def _look_at_once(self, rest: deque[Queued]) -> None:
        """Takes the jobs up to the first that fails; all of them where the database is away."""
        tried: list[Queued] = []
        try:
            with self._reader.begin() as connection:
                while rest:
                    tried.append(rest.popleft())
                    tried[-1].result = tried[-1].job(connection)
        except SQLAlchemyError as error:
            failed(tried[-1:] or _emptied(rest), not_stored(error))
        except Exception as error:  # noqa: BLE001 — it goes to whoever gave us the job
            failed(tried[-1:] or _emptied(rest), error)

    @abstractmethod
    def _commit(self, jobs: list[Queued]) -> None:
        """Runs the jobs and notes what came of each. One without an error is committed. Raises nothing."""

    @abstractmethod
    def _scrub(self, whole: bool) -> bool: ...


def _emptied(rest: deque[Queued]) -> list[Queued]:
    jobs = list(rest)
    rest.clear()
    return jobs


def failed(jobs: list[Queued], failure: Exception) -> None:
    """None of these happened."""
    for queued in jobs:
        queued.error = queued.error or failure


def _resolve(jobs: list[Queued]) -> None:
    """Wakes each loop once for all its jobs."""
    for loop in {queued.loop for queued in jobs}:
        mine = [queued for queued in jobs if queued.loop is loop]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, mine)


def _settle(jobs: list[Queued]) -> None:
    for queued in jobs:
        if queued.future.done():
            continue
        if queued.error:
            queued.future.set_exception(queued.error)
            queued.future.exception()  # whoever was cancelled does not retrieve it
        else:
            queued.future.set_result(queued.result)


def not_stored(error: SQLAlchemyError) -> NotStored:
    """Logged once, without the statement's parameters: they hold what people said.

    The disk that is full may be the log's, too: what can't be logged is no reason to stop.
    """
    cause = getattr(error, "orig", None) or error
    why = (str(cause).splitlines() or [""])[0][:200]
    with suppress(OSError):
        log.error("the database did not take it", why=f"{type(cause).__name__}: {why}")
    return NotStored(type(cause).__name__)


def json(value: object) -> str:
    """Shorter than the standard library's, and Chinese as it is."""
    return to_json(value).decode()
