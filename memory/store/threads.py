"""What both databases share: one writer thread with group commit, and readers beside it.

The writer takes all jobs that wait, runs them in one transaction, commits once, and only then tells anybody. A job
that fails, fails alone; how that is held is each database's own (`_commit`). What one round of the event loop gives
goes to the writer at once: waking a thread costs more than a job.
"""

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


@dataclass(slots=True)
class Queued:
    """A job that waits for the writer, and what came of it."""

    job: Job[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class Store(ABC):
    """Runs functions in transactions. They are short, and have no effect outside the database: one may run twice."""

    dialect: str

    def __init__(self, writer: Engine, reader: Engine, readers: int) -> None:
        self._writer = writer
        self._reader = reader
        self._gathered: dict[asyncio.AbstractEventLoop, list[Queued]] = {}
        self._jobs: queue.SimpleQueue[list[Queued] | None] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def write(self, job: Job[T]) -> T:
        """Runs it in a transaction that is committed when this returns. Raises NotStored, or what the job raises."""
        self._refuse_closed()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        gathered = self._gathered.setdefault(loop, [])
        if not gathered:
            loop.call_soon(self._hand_over, loop)
        gathered.append(Queued(job, future, loop))
        return await future  # who is cancelled here hears nothing more; the job is done all the same

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if gathered := self._gathered.pop(loop, None):
            self._jobs.put(gathered)

    async def read(self, job: Job[T]) -> T:
        """Runs it on a snapshot. Raises NotStored, or what the job raises."""
        self._refuse_closed()
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, job)

    def _refuse_closed(self) -> None:
        """Nobody works on the queue any more: a job would wait for ever."""
        if self._closed:
            raise NotStored("the database is closed")

    def _read(self, job: Job[T]) -> T:
        try:
            with self._reader.begin() as connection:
                return job(connection)
        except SQLAlchemyError as error:
            raise not_stored(error) from None

    async def scrub(self) -> None:
        """Takes the bytes of what was deleted out of the files. Slow on a large database."""
        await asyncio.to_thread(self._scrub)

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
            self._hand_over(asyncio.get_running_loop())
            self._jobs.put(None)
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._thread.join()
        self._threads.shutdown()
        self._reader.dispose()
        self._writer.dispose()

    def _work(self) -> None:
        """The writer thread."""
        last = False
        while not last:
            given = [self._jobs.get()]
            with suppress(queue.Empty):
                while sum(len(entry or ()) for entry in given) < GROUP:
                    given.append(self._jobs.get_nowait())
            last = None in given
            if jobs := [job for entry in given for job in entry or ()]:
                self._commit(jobs)
                _resolve(jobs)

    @abstractmethod
    def _commit(self, jobs: list[Queued]) -> None:
        """Runs the jobs and notes what came of each. One without an error is committed. Raises nothing."""

    @abstractmethod
    def _scrub(self) -> None: ...


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
