"""The door: `python -m tests.bench [beside | channels | fuzz | stores] [--quick]`."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.bench.channels import Load, over_all_channels
from tests.bench.fuzz import damaged_calls
from tests.bench.runs import QUICK, Plan, Tell, beside_bare, more_messages, more_passages
from tests.bench.stores import Crowd, writes

Measure = Callable[[Tell], Awaitable[Table]]


def measures(what: str, *, quick: bool) -> Sequence[Measure]:
    """What is to be measured, one table each."""
    if what == "channels":
        return [partial(over_all_channels, Load(seconds=5) if quick else Load())]
    if what == "fuzz":
        return [partial(damaged_calls, 1_000 if quick else 10_000)]
    if what == "stores":
        return [partial(writes, Crowd(1_000) if quick else Crowd())]
    plan = QUICK if quick else Plan()
    return [partial(measured, plan) for measured in (beside_bare, more_messages, more_passages)]


async def run(wanted: Sequence[Measure], console: Console) -> None:
    """Everything, one table after the other. Ended from outside, it ends its processes first."""
    if work := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    console.print(f"{os.cpu_count()} cores, load average {_load()}; the load comes from the same machine")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    for measured in wanted:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("…", total=None)
            table = await measured(partial(_tell, progress, task))
        console.print(table)
    console.print(f"load average {_load()} at the end")


def _tell(progress: Progress, task: TaskID, text: str) -> None:
    progress.update(task, description=text)


def _load() -> str:
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def main() -> int:
    """Reads the command line and runs; 0 when all was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What the hub takes, and how quickly.")
    parser.add_argument("what", nargs="?", choices=("beside", "channels", "fuzz", "stores"), default="beside")
    parser.add_argument("--quick", action="store_true", help="smaller numbers, about a minute")
    console = Console(width=max(Console().width, 110))
    given = parser.parse_args()
    try:
        asyncio.run(run(measures(given.what, quick=given.quick), console))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
