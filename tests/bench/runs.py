"""The runs, and the tables that they fill. A plan says how much is asked; each run is bounded in count and in time."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from tests.bench import stock
from tests.bench.load import Figures, measure, requests
from tests.bench.processes import Running, configured, running, serving

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked and stored."""

    bare: int = 20_000
    echo: int = 8_000
    turns: int = 2_000
    grown: int = 1_500
    messages: Sequence[int] = (1_000, 10_000, 100_000)
    passages: Sequence[int] = (1_000, 10_000, 50_000)
    warm: int = 200
    seconds: float = 25.0
    """The longest that one measurement takes."""


QUICK = Plan(
    bare=4_000, echo=1_500, turns=300, grown=300, messages=(1_000, 10_000), passages=(1_000, 5_000), warm=64, seconds=10
)


@dataclass(frozen=True, slots=True)
class Row:
    """One server: how long it took to be ready, what it weighed idle and after the load, and the figures."""

    name: str
    ready: float
    idle: float
    after: float
    figures: Figures


async def _run(
    name: str, server: Running, count: int, plan: Plan, *, checked: bool = True, known: int = 0, ask: Sequence[str] = ()
) -> Row:
    words = ask or ("你们几点开门？",)
    idle = server.megabytes
    await measure(
        server.url, requests(server.url, plan.warm, words=words, people=known), seconds=plan.seconds, checked=checked
    )
    made = requests(server.url, count, words=words, people=known)
    figures = await measure(server.url, made, seconds=plan.seconds, checked=checked)
    return Row(name, server.seconds, idle, server.megabytes, figures)


async def beside_bare(plan: Plan, tell: Tell) -> Table:
    """Throughput, memory and start-up beside a bare handler, on asyncio's loop and on the one that the hub runs on."""
    rows = []
    for name, loop in (("bare aiohttp handler", ()), ("the same on uvloop", ("uvloop",))):
        tell(name)
        async with running("bare", *loop) as server:
            rows.append(await _run(name, server, plan.bare, plan, checked=False))
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        tell("the hub with an agent that costs nothing")
        async with running("child", "echo", str(configured(Path(folder)))) as server:
            rows.append(await _run("hub, durable echo", server, plan.echo, plan))
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        tell("the full turn: passages are found, a model is asked over HTTP")
        await stock.shelve(Path(folder) / "data", 200)
        asked = [stock.question(number) for number in range(200)]
        async with running("child", "model") as model, serving(configured(Path(folder), model=model.url)) as server:
            rows.append(await _run("hub, full turn with a model", server, plan.turns, plan, ask=asked))
    return _beside(rows)


async def more_messages(plan: Plan, tell: Tell) -> Table:
    """How start-up, memory and the echo grow with what is stored; asked by people with a history."""
    rows = []
    for count in plan.messages:
        with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
            tell(f"{count:,} stored messages are written")
            people = await stock.remember(Path(folder) / "data", count)
            tell(f"the hub over {count:,} stored messages")
            async with running("child", "echo", str(configured(Path(folder)))) as server:
                rows.append(await _run(f"{count:,}", server, plan.grown, plan, known=people))
    return _grown("stored messages (durable echo)", rows)


async def more_passages(plan: Plan, tell: Tell) -> Table:
    """How start-up, memory and the full turn grow with the knowledge."""
    rows = []
    for count in plan.passages:
        with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
            tell(f"{count:,} passages are indexed")
            await stock.shelve(Path(folder) / "data", count)
            tell(f"the hub over {count:,} passages")
            asked = [stock.question(number) for number in range(0, count, max(count // 500, 1))]
            async with running("child", "model") as model, serving(configured(Path(folder), model=model.url)) as server:
                rows.append(await _run(f"{count:,}", server, plan.grown, plan, ask=asked))
    return _grown("passages (full turn with a model)", rows)


def _beside(rows: Sequence[Row]) -> Table:
    table = Table(title="Beside a bare handler, 64 connections", title_justify="left")
    for name in ("", "turns/s", "of bare", "of uvloop", "p50 ms", "p99 ms", "ready s", "idle MB", "after MB", "wrong"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for row in rows:
        shares = [_share(row, yardstick) for yardstick in rows[:2]]
        table.add_row(row.name, f"{row.figures.rate:,.0f}", *(f"{share:.1%}" for share in shares), *_cells(row))
    return table


def _share(row: Row, yardstick: Row) -> float:
    return row.figures.rate / yardstick.figures.rate if yardstick.figures.rate else 0.0


def _grown(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=f"With more {title}", title_justify="left")
    for name in ("stored", "turns/s", "of the first", "p50 ms", "p99 ms", "ready s", "idle MB", "after MB", "wrong"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.name, f"{row.figures.rate:,.0f}", f"{_share(row, rows[0]):.0%}", *_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    figures = row.figures
    wrong = ", ".join(f"{count} × {kind}" for kind, count in figures.wrong.items()) or "0"
    return (
        f"{figures.p50:.1f}",
        f"{figures.p99:.1f}",
        f"{row.ready:.2f}",
        f"{row.idle:.0f}",
        f"{row.after:.0f}",
        wrong,
    )
