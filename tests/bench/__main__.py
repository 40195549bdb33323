"""The door: `python -m tests.bench [--quick]`."""

import argparse
import asyncio
import os

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.bench.runs import QUICK, Plan, beside_bare, more_messages, more_passages


async def run(plan: Plan, console: Console) -> None:
    """Everything, one table after the other."""
    console.print(f"{os.cpu_count()} cores, load average {_load()} at the start; the load comes from the same machine.")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    for work in (beside_bare, more_messages, more_passages):
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("…", total=None)
            table = await work(plan, lambda text, p=progress, t=task: p.update(t, description=text))  # type: ignore[misc]
        console.print(table)
    console.print(f"load average {_load()} at the end")


def _load() -> str:
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Ratios beside a bare handler.")
    parser.add_argument("--quick", action="store_true", help="smaller numbers, about a minute")
    console = Console(width=max(Console().width, 110))
    asyncio.run(run(QUICK if parser.parse_args().quick else Plan(), console))


if __name__ == "__main__":
    main()
