"""How often the agent is reminded of what it needs: 200 questions over weeks of conversations, by kind.

`python -m tests.memory.recall` plays them and prints the table. The conversations are written from the lines of
tests/data/recall.jsonl: what people tell in passing, how they correct it, how they ask for it later. Between
telling and asking lies enough chatter that the history which the agent is shown holds nothing of it. A fact is
also told by others with another value: theirs must never come.

The second half of the lines was kept aside while patterns were improved; its column says what is to be expected
of words that nobody had in view.
"""

import asyncio
import json
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory.store import open_store
from tests.hub.stage import migrated
from tests.memory.world import World

LINES = Path(__file__).parents[1] / "data" / "recall.jsonl"
KINDS = ("single", "updated", "channels", "time", "never")
EACH = 40
HISTORY = 4
CHANNELS = ("oa", "web", "feishu", "wecom")
CHATTER = ("好的", "谢谢你", "知道了，辛苦")
BEGAN = datetime(2026, 3, 2, 2, tzinfo=UTC)


@dataclass(frozen=True)
class About:
    """A line: something that people tell of themselves."""

    name: str
    tells: list[str]
    updates: list[str]
    asks: list[str]
    values: list[str]
    known: bool
    """Patterns were improved with this line in view."""


@dataclass(frozen=True)
class Case:
    """A question of a kind, and what was told before."""

    kind: str
    about: About
    number: int

    def pick(self, items: list[str], salt: int = 0) -> str:
        """One of them, the same in every run."""
        return random.Random(f"{self.about.name} {self.kind} {self.number} {salt}").choice(items)

    @property
    def who(self) -> str:
        """A name that no other case has."""
        return f"{self.kind}{self.number}"

    @property
    def values(self) -> list[str]:
        """The person's own, the one before it, and two of others."""
        return random.Random(f"{self.about.name} {self.number}").sample(self.about.values, 4)


def lines() -> list[About]:
    """All of the file."""
    rows = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    return [
        About(r["about"], r["tells"], r.get("updates", []), r["asks"], r["values"], known=n < len(rows) // 2)
        for n, r in enumerate(rows)
    ]


def cases() -> Iterator[Case]:
    """EACH of every kind, the lines in turn."""
    for kind in KINDS:
        fitting = [about for about in lines() if kind != "updated" or about.updates]
        for number in range(EACH):
            yield Case(kind, fitting[number % len(fitting)], number)


async def holds(world: World, case: Case) -> bool:
    """Plays what was told by this person and by others, then asks."""
    me, own, (value, old, *others) = (
        f"{case.pick(list(CHANNELS))}:me{case.who}",
        case.pick(case.about.tells),
        case.values,
    )
    world.now = BEGAN
    for n, other in enumerate(others):
        await world.say(f"oa:other{n}{case.who}", case.pick(case.about.tells, n).format(v=other))
    await world.say(me, "你好")
    asker = me
    match case.kind:
        case "single":
            await world.say(me, own.format(v=value))
        case "updated":
            await world.say(me, own.format(v=old))
            await _later(world, me)
            await world.say(me, case.pick(case.about.updates).format(v=value))
        case "channels":
            asker = f"h5:me{case.who}"
            await world.say(me, own.format(v=value))
            await world.say(asker, f"/link {await world.code(me)}")
        case "time":
            await world.say(me, own.format(v=old))
            await _later(world, me)
            await world.say(me, own.format(v=value))
        case _:  # never told
            pass
    told_on = world.now
    await _later(world, asker, days=1)
    question = case.pick(case.about.asks)
    if case.kind == "time":
        question = f"昨天我说过的：{question}"
    found = await world.recalled(asker, question)
    return _right(case, found, told_on, value, old, others)


async def _later(world: World, who: str, days: int = 3) -> None:
    for words in CHATTER:
        await world.say(who, words)
    world.now += timedelta(days=days)


def _right(case: Case, found: list[str], told_on: datetime, value: str, old: str, others: list[str]) -> bool:
    shown = "\n".join(found)
    if any(other in shown for other in others):
        return False
    match case.kind:
        case "never":
            return not any(one in shown for one in (value, old))
        case "updated":
            return value in shown and old not in shown
        case "time":  # by the day that stands beside it, for both may be true
            return any(value in line and f"{told_on.astimezone():%Y-%m-%d}" in line for line in found)
        case _:
            return value in shown


@dataclass(frozen=True)
class Rates:
    """Rights of asked, by kind: of the lines in view, of those kept aside."""

    known: dict[str, list[bool]]
    aside: dict[str, list[bool]]
    failed: list[Case]

    def rate(self, kind: str) -> float:
        """Of all lines."""
        both = self.known[kind] + self.aside[kind]
        return sum(both) / len(both)


async def measure() -> Rates:
    """Plays all."""
    rates = Rates(defaultdict(list), defaultdict(list), [])
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(migrated, Path(folder))
        async with open_store("", Path(folder)) as store:
            every = list(cases())
            worlds = [World(store, count=1000 * n, history=HISTORY) for n in range(len(every))]
            rights = await asyncio.gather(*map(holds, worlds, every))
    for case, right in zip(every, rights, strict=True):
        (rates.known if case.about.known else rates.aside)[case.kind].append(right)
        if not right:
            rates.failed.append(case)
    return rates


def main() -> None:
    """Prints the table, and with --failed the lines in view that failed."""
    rates = asyncio.run(measure())
    sys.stdout.write(f"{'kind':<10}{'all':>6}{'in view':>9}{'aside':>7}\n")
    for kind in KINDS:
        known, aside = rates.known[kind], rates.aside[kind]
        sys.stdout.write(
            f"{kind:<10}{rates.rate(kind):>6.2f}{sum(known) / len(known):>9.2f}{sum(aside) / len(aside):>7.2f}\n"
        )
    if "--failed" in sys.argv:
        for case in rates.failed:
            if case.about.known:
                sys.stdout.write(f"{case.kind} {case.about.name}: {case.pick(case.about.tells)}\n")


if __name__ == "__main__":
    main()
