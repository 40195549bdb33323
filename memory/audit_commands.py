"""`python -m hub audit …`: the audit log from the shell."""

import argparse

from rich.console import Console
from sqlalchemy import Connection, select

from config import Config
from memory import audit
from memory.store import open_store
from memory.tables import audit as table


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verify|list")
    verify = verbs.add_parser("verify", help="whether every row follows from the one before")
    verify.add_argument("--holds", metavar="DIGEST", default="", help="what an earlier verify told: that row is there")
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
        told, whole = await store.read(lambda connection: _verified(connection, args.holds))
    console.print(told)
    return 0 if whole else 1


def _verified(connection: Connection, digest: str) -> tuple[str, bool]:
    """What is said of the log, and whether it is whole."""
    if broken := audit.broken(connection):
        return f"row {broken} does not follow from the one before it", False
    if digest and not audit.holds(connection, digest):
        return "the row with that digest is not there: rows were cut off at the end, or the log was begun anew", False
    end = audit.last(connection)
    return f"the audit log is whole: {end.rows} rows, the last with digest {end.digest}", True
