"""A closed loop over so many connections, as light as it gets: what is signed was signed before the clock starts."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from channels.simulators.pushes import Account
from channels.simulators.wechat_oa import message
from tests.bench.processes import SECRETS

CONNECTIONS = 64
PATIENCE = 10.0
"""Seconds that one answer may take."""
_numbers = itertools.count(time.time_ns() // 1000)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it travels, and what must stand in the answer."""

    raw: bytes
    wanted: bytes


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to. Times are in milliseconds."""

    rate: float
    p50: float
    p99: float
    right: int
    wrong: Counter[str]


class Connection(asyncio.Protocol):
    """One request at a time over a connection that stays open."""

    def __init__(self) -> None:
        self.open = False
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self.open = transport, True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the connection broke"))

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, rest = self._read.partition(b"\r\n\r\n")
        if found and len(rest) >= _length(head) and self._answer and not self._answer.done():
            self._answer.set_result(bytes(self._read))

    async def ask(self, raw: bytes) -> bytes:
        """The whole answer."""
        assert self._transport is not None
        self._read.clear()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(raw)
        async with asyncio.timeout(PATIENCE):
            return await self._answer

    def close(self) -> None:
        """Asks no more."""
        if self._transport:
            self._transport.abort()


def _length(head: bytes | bytearray) -> int:
    lines = bytes(head).lower().split(b"\r\n")
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)


def requests(url: str, count: int, *, words: Sequence[str] = ("你们几点开门？",), people: int = 0) -> list[Request]:
    """Signed messages, each with a number of its own in its words; of new people, or of `people` who are known."""
    host, query_of = urlsplit(url).netloc, Account("", SECRETS["BENCH_TOKEN"], weak=True).query
    made = []
    for _ in range(count):
        number = next(_numbers)
        who = f"oKnown{number % people}" if people else f"oNew{number}"
        body = message(who, MsgId=str(number), Content=f"{words[number % len(words)]} m{number}")
        head = f"POST /channels/oa?{urlencode(query_of())} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\n"
        made.append(Request(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body, f"m{number}".encode()))
    return made


async def measure(url: str, made: Sequence[Request], *, seconds: float, checked: bool = True) -> Figures:
    """Asks all of them, or as many as the seconds allow. `checked`: the answer must say what was asked."""
    todo, times, wrong = iter(made), list[float](), Counter[str]()
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    await asyncio.gather(*(_worker(url, todo, until, times, wrong, checked) for _ in range(CONNECTIONS)))
    wall = time.perf_counter() - began
    times.sort()
    if not times:
        return Figures(0.0, 0.0, 0.0, 0, wrong)
    p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    return Figures(len(times) / wall, p50, p99, len(times), wrong)


async def _worker(
    url: str, todo: Iterator[Request], until: float, times: list[float], wrong: Counter[str], checked: bool
) -> None:
    place, connection = urlsplit(url), Connection()
    for request in todo:
        if time.perf_counter() > until:
            break
        began = time.perf_counter()
        try:
            if not connection.open:
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(Connection, place.hostname or "", place.port or 80)
            answer = await connection.ask(request.raw)
        except (OSError, TimeoutError) as error:
            wrong[type(error).__name__] += 1
            connection.close()
            continue
        if answer[9:12] == b"200" and (request.wanted in answer or not checked):
            times.append(time.perf_counter() - began)
        else:
            wrong[answer[9:12].decode()] += 1
    connection.close()
