"""`python -m hub evaluate FILE`: asks the questions of a file and counts, for one configuration or two side by side."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from agent.evaluation import cases, table
from agent.evaluation.cases import Case
from agent.evaluation.figures import Outcome, report
from agent.evaluation.run import outcomes
from config import Config
from hub.observe import configure_logs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="one JSON object a line; the README names the keys")
    parser.add_argument("--json", action="store_true", help="every figure and every answer, on standard output")
    parser.add_argument("--wrong", action="store_true", help="list the questions that were answered wrong")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="questions that are asked side by side (1)")


async def run(args: argparse.Namespace, config: Config) -> int:
    """0 when all was asked, 1 when the file can't be used."""
    configure_logs("error", secrets=[secret for one in args.configs for secret in one.secrets])
    try:
        found = cases.read(args.file)
    except OSError as error:
        return _failed(f"{args.file}: {error.strerror}")
    if found.faults:
        return _failed(*(f"{args.file}: {fault}" for fault in found.faults))
    runs = {str(one.file): await _run(one, found.cases, max(args.at_once, 1)) for one in args.configs}
    if args.json:
        told = {"questions": str(args.file), "runs": {name: report(one) for name, one in runs.items()}}
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
        return 0
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(table.figures(runs))
    if args.wrong:
        console.print(table.wrong(runs))
    return 0


async def _run(config: Config, asked: Sequence[Case], at_once: int) -> list[Outcome]:
    """Shows how far it is, where somebody looks."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(config.file.name, total=len(asked))
        return await outcomes(config, asked, at_once=at_once, done=lambda: progress.advance(task))


def _failed(*faults: str) -> int:
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1
