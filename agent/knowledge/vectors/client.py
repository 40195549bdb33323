"""A client of the process that owns the vectors: finds it or starts it, and asks.

Whatever goes wrong here, questions are answered by word alone; so every method raises Away and nothing else.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Mapping, Sequence

import structlog

from agent.knowledge import process
from agent.knowledge.vectors import LONGEST_LINE, Address, Setup
from hub.errors import HubError

START = 60.0
"""Seconds that the owner may take to start."""
GREETING = 5.0
REST = 30.0
"""Seconds without a new try when it did not start."""

log = structlog.get_logger()


class Away(HubError):
    """There are no vectors now. The message says why."""


class Vectors:
    """The connection, made when it is first needed and again after it was lost."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Mapping[str, object]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._rest_until = 0.0

    @property
    def connected(self) -> bool:
        return self._writer is not None and self._reading is not None and not self._reading.done()

    async def connect(self) -> None:
        """Finds the owner or starts it."""
        async with self._connecting:
            if self.connected:
                return
            now = asyncio.get_running_loop().time()
            if now < self._rest_until:
                raise Away("the process that owns the vectors did not start")
            try:
                async with asyncio.timeout(START):
                    await self._find()
            except (Away, TimeoutError, OSError, ValueError) as error:
                self._rest_until = asyncio.get_running_loop().time() + REST
                log.warning("no search by meaning for now", why=str(error) or type(error).__name__)
                raise Away(str(error) or "no answer") from None

    async def _find(self) -> None:
        while not await self._greet():
            await self._start()

    async def _start(self) -> None:
        """Starts the owner and waits for its word. Raises Away when it can't work here."""
        owner = await process.start("agent.knowledge.vectors")
        assert owner.stdin is not None  # noqa: S101 — for the type checker; both are pipes
        assert owner.stdout is not None  # noqa: S101
        with contextlib.suppress(ConnectionError):
            owner.stdin.write(f"{self._setup.dumps()}\n".encode())
            await owner.stdin.drain()
        owner.stdin.close()
        word = await owner.stdout.readline()
        await owner.wait()
        if not word:
            raise Away("the process that owns the vectors can't start; standard error says why")
        if word.strip() == b"taken":
            await asyncio.sleep(0.2)

    async def _greet(self) -> bool:
        address = await asyncio.to_thread(Address.of, self._setup.folder)
        if address is None:
            return False
        if address.name != self._setup.name:
            raise Away(f"vectors are kept by a process with other settings ({address.name})")
        try:
            async with asyncio.timeout(GREETING):
                reader, writer = await asyncio.open_connection("127.0.0.1", address.port, limit=LONGEST_LINE)
                writer.write(json.dumps({"token": address.token, "name": self._setup.name}).encode() + b"\n")
                welcome = json.loads(await reader.readline() or b"{}")
        except (OSError, ValueError, TimeoutError):
            return False
        if not welcome.get("ok"):
            writer.close()
            return False
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader))
        return True

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Hands answers to those who wait; when the connection ends they are all told."""
        try:
            while line := await reader.readline():
                answer = json.loads(line)
                if waiting := self._waiting.pop(answer.get("id"), None):
                    waiting.set_result(answer)
        except (OSError, ValueError) as error:
            log.warning("the connection to the vectors broke", why=type(error).__name__)
        finally:
            for waiting in self._waiting.values():
                waiting.cancel()
            self._waiting.clear()

    async def _ask(self, do: str, **values: object) -> Mapping[str, object]:
        await self.connect()
        assert self._writer  # noqa: S101 — for the type checker; it is connected
        number = next(self._ids)
        waiting: asyncio.Future[Mapping[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._writer.write(json.dumps({"id": number, "do": do, **values}, ensure_ascii=False).encode() + b"\n")
            await self._writer.drain()
            await asyncio.wait([waiting])
        except OSError as error:
            raise Away(type(error).__name__) from None
        finally:
            self._waiting.pop(number, None)
        if waiting.cancelled():
            raise Away("the process that owns the vectors went away")
        answer = waiting.result()
        if "error" in answer:
            raise Away(str(answer["error"]))
        return answer

    async def nearest(self, question: str, *, limit: int, keys: Sequence[str]) -> dict[str, float]:
        """Closeness of the nearest passages, and of these ones: 0 = unrelated, 1 = the same."""
        found = (await self._ask("nearest", question=question, limit=limit, keys=list(keys)))["closeness"]
        return {str(key): float(value) for key, value in found.items()} if isinstance(found, dict) else {}

    async def missing(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        """Which of these have no vector, and which vectors are not among these."""
        answer = await self._ask("missing", keys=list(keys))
        return _keys(answer["missing"]), _keys(answer["extra"])

    async def put(self, passages: Mapping[str, str], *, urgent: bool = False) -> None:
        """Makes vectors of these passages; returns when they are stored. About 1 ms of a core for each character.

        `urgent`: somebody waits for them; else everything else goes first.
        """
        await self._ask("put", passages=dict(passages), urgent=urgent)

    async def drop(self, keys: Sequence[str]) -> None:
        """Forgets these."""
        await self._ask("drop", keys=list(keys))

    async def close(self) -> None:
        """Leaves; an owner that has no other client ends."""
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None
        if self._writer:
            self._writer.close()
            self._writer = None


def _keys(value: object) -> list[str]:
    return [str(key) for key in value] if isinstance(value, list) else []
