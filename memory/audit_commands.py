"""`python -m hub audit …`: the audit log from the shell."""

import argparse

from rich.console import Console
from sqlalchemy import select

from config import Config
from memory import audit
from memory.store import open_store
from memory.tables import audit as table


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verify|list")
    verbs.add_parser("verify", help="whether every row follows from the one before")
    verbs.add_parser("list", help="who did what to whom, oldest first")


async def run(args: argparse.Namespace, config: Config) -> int:
    """0 when the log is whole, 1 when it is not."""
    console = Console(soft_wrap=True, highlight=False)
    async with open_store(config.storage.url.value, config.hub.data_dir) as store:
        if args.verb == "list":
            rows = await store.read(lambda connection: connection.execute(select(table).order_by(table.c.id)).all())
            for row in rows:
                console.print(f"{row.id} {row.at:%Y-%m-%d %H:%M:%S} {row.actor}: {row.act} {row.subject} {row.detail}")
            return 0
        broken = await store.read(audit.broken)
    console.print(
        "the audit log is whole" if broken is None else f"row {broken} does not follow from the one before it"
    )
    return 0 if broken is None else 1
