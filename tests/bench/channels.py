"""All channels at once: messages at an even rate, a model that takes its time, and what became of each of them."""

import asyncio
import random
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.table import Table

from tests.bench.platforms import SIDES, Side, acknowledged
from tests.bench.processes import HUB, MODEL, Running, free_port, running, serving

Tell = Callable[[str], None]
NUMBER = re.compile(r"q(\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` messages a second over all channels, for so many seconds, from so many people of each channel."""

    rate: int = 200
    seconds: float = 30.0
    people: int = 500
    """So many that few have more questions open than WeChat takes answers for after a message (5)."""
    model: float = 3.0
    """Seconds that the model takes."""
    patience: float = 90.0
    """Seconds after the last message in which its answer must have come."""


@dataclass
class Seen:
    """What one channel's people said and read; questions are known by their numbers."""

    acks: list[float] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    asked: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    read: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    at: dict[int, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def hear(self, person: str, text: str) -> None:
        """Somebody reads an answer."""
        for number in map(int, NUMBER.findall(text)):
            self.read[person].append(number)
            self.answered.append(time.perf_counter() - self.at.get(number, time.perf_counter()))

    @property
    def lost(self) -> int:
        """Questions without an answer."""
        return sum(len(set(asked) - set(self.read[person])) for person, asked in self.asked.items())

    @property
    def twice(self) -> int:
        """Answers beyond the first."""
        return sum(len(read) - len(set(read)) for read in self.read.values())

    @property
    def astray(self) -> int:
        """People who read answers in another order than they had asked, or somebody else's."""
        firsts = {person: list(dict.fromkeys(read)) for person, read in self.read.items()}
        return sum(read != [n for n in self.asked[person] if n in set(read)] for person, read in firsts.items())


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has taken so far."""

    megabytes: float
    seconds: float
    """Of a processor."""

    @classmethod
    def of(cls, process: Running) -> "Cost":
        """Now."""
        return cls(process.megabytes, process.worked)


async def over_all_channels(load: Load, tell: Tell) -> Table:
    """Runs it, and what was seen."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        async with AsyncExitStack() as stack:
            seen = {side.kind: Seen() for side in SIDES}
            sides = [side(seen[side.kind].hear) for side in SIDES]
            for side in sides:
                await side.open(stack)
            model = await stack.enter_async_context(running("child", "model", str(load.model)))
            tell("the hub starts")
            hub = await stack.enter_async_context(serving(_configured(Path(folder), sides, model.url)))
            connector = aiohttp.TCPConnector(limit=0)
            http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            idle = Cost.of(hub)
            late = await _played(load, sides, seen, http, stack, tell)
            return _table(load, seen, late, idle, Cost.of(hub))


def _configured(folder: Path, sides: list[Side], model: str) -> Path:
    port = free_port()
    text = HUB.format(port=port) + MODEL.format(url=model)
    for side in sides:
        base = f'api_base = "{side.api}"\n' if side.api else ""
        text += f'[channels.{side.kind}]\nkind = "{side.kind}"\n{base}{side.section}\n'
        side.url = f"http://127.0.0.1:{port}/channels/{side.kind}"
    (folder / "knowledge").mkdir()
    file = folder / "hub.toml"
    file.write_text(text)
    return file


async def _played(
    load: Load,
    sides: list[Side],
    seen: dict[str, Seen],
    http: aiohttp.ClientSession,
    stack: AsyncExitStack,
    tell: Tell,
) -> list[float]:
    """Says all messages, each at its time, and waits for the answers; how late they were said, in seconds."""
    people = [f"p{n}x" for n in range(load.people)]
    for side in sides:
        await side.meet(http, stack, people)
    chance, late, count = random.Random(7), list[float](), int(load.rate * load.seconds)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(began + number / load.rate - time.perf_counter(), 0))
            late.append(time.perf_counter() - began - number / load.rate)
            side, person = sides[number % len(sides)], chance.choice(people)
            group.create_task(_say(side, seen[side.kind], http, person, number))
            if number % load.rate == 0:
                tell(f"{number:,} of {count:,} messages said")
    until = time.perf_counter() + load.patience
    while any(each.lost for each in seen.values()) and time.perf_counter() < until:
        tell(f"{sum(each.lost for each in seen.values()):,} answers are still to come")
        await asyncio.sleep(0.5)
    return late


async def _say(side: Side, seen: Seen, http: aiohttp.ClientSession, person: str, number: int) -> None:
    seen.asked[person].append(number)
    async with seen.turns[person]:  # a person says one thing after the other
        began = seen.at[number] = time.perf_counter()
        status = await acknowledged(side.say(http, person, f"请问第{number}个问题怎么办？q{number}"))
        if status == 200:
            seen.acks.append(time.perf_counter() - began)
        else:
            seen.refused[status] += 1


def _table(load: Load, seen: dict[str, Seen], late: list[float], before: Cost, after: Cost) -> Table:
    count = sum(len(asked) for each in seen.values() for asked in each.asked.values())
    _, p99, most = _shares(late)
    title = f"{load.rate} messages a second for {load.seconds:.0f} s over all channels, a model of {load.model:.0f} s"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.caption = (
        f"said {p99 * 1000:.0f} ms late (p99), {most * 1000:.0f} at most; the hub: {before.megabytes:.0f} MB before, "
        f"{after.megabytes:.0f} MB after, {(after.seconds - before.seconds) / count * 1000:.1f} ms of CPU a message"
    )
    for name in ("", "said", "ack ms", "p99", "most", "answer s", "p99", "lost", "twice", "astray", "refused"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for side in SIDES:
        each = seen[side.kind]
        acks = [f"{1000 * value:,.0f}" for value in _shares(each.acks)]
        answers = [f"{value:.1f}" for value in _shares(each.answered)[:2]]
        said, astray = sum(map(len, each.asked.values())), str(each.astray) if side.ordered else "–"
        refused = ", ".join(f"{count} × {status}" for status, count in each.refused.items()) or "0"
        table.add_row(side.kind, f"{said:,}", *acks, *answers, str(each.lost), str(each.twice), astray, refused)
    return table


def _shares(values: list[float]) -> tuple[float, float, float]:
    """The median, the 99th percent, and the most."""
    found = sorted(values) or [0.0]
    return found[len(found) // 2], found[int(len(found) * 0.99)], found[-1]
