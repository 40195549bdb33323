"""`python -m hub person …`: people and their identities, from the shell. Works while the server runs."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from sqlalchemy import Connection

from config import Config
from memory import linking, privacy
from memory.store import Store, open_store

console = Console(soft_wrap=True, highlight=False)
BY = "operator"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="show|link|unlink|export|erase")
    for verb, text in {
        "show": "identities, and how much is kept",
        "unlink": "takes this identity out of its person",
        "export": "everything that is kept, as JSON on standard output",
        "erase": "removes every trace",
    }.items():
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("who", metavar="CHANNEL:USER", help="any identity of the person, such as oa:<openid>")
        if verb == "erase":
            one.add_argument("--yes", action="store_true", help="ask nothing")
    both = verbs.add_parser("link", help="joins two people, on the operator's word")
    both.add_argument("who", metavar="CHANNEL:USER")
    both.add_argument("other", metavar="CHANNEL:USER")


async def run(args: argparse.Namespace, config: Config) -> int:
    """0 done, 1 when there is no such person or nothing was done."""
    async with open_store(config.storage.url.value, config.hub.data_dir) as store:
        channel, _, user = args.who.partition(":")
        person = await store.read(lambda connection: privacy.find(connection, channel, user))
        if person is None:
            console.print(f"nobody is known as {args.who}; write CHANNEL:USER, with the channel's name in hub.toml")
            return 1
        status: int = await VERBS[args.verb](store, person, args)
        return status


async def _show(store: Store, person: int, args: argparse.Namespace) -> int:
    kept, counts = await store.read(lambda c: (privacy.export(c, person), privacy.counts(c, person)))
    console.print(f"person {person}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
    for row in kept["identities"]:
        console.print(
            f"  {row['channel']}:{row['user']} (account {row['account']}, since {row['created_at']})", markup=False
        )
    for row in kept["joins"]:
        parted = f", parted {row['parted_at']}" if row["parted_at"] else ""
        console.print(f"  joined {row['joined_at']} by {row['by']}, on {row['why']}{parted}", markup=False)
    return 0


async def _export(store: Store, person: int, args: argparse.Namespace) -> int:
    kept = await store.read(lambda connection: privacy.export(connection, person))
    await _act(store, lambda connection: privacy.handed_over(connection, person, by=BY, now=_now()))
    sys.stdout.write(json.dumps(kept, ensure_ascii=False, indent=2, default=str) + "\n")
    return 0


async def _erase(store: Store, person: int, args: argparse.Namespace) -> int:
    if not args.yes:
        counts = await store.read(lambda connection: privacy.counts(connection, person))
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        answer = await asyncio.to_thread(console.input, f"erase {args.who} and all of {said} for good? (yes/no) ")
        if answer.strip().lower() not in ("y", "yes"):
            console.print("nothing was erased")
            return 1
    await _act(store, lambda connection: privacy.erase(connection, person, by=BY, now=_now()))
    await store.scrub()
    console.print("erased")
    return 0


async def _link(store: Store, person: int, args: argparse.Namespace) -> int:
    channel, _, user = args.other.partition(":")
    other = await store.read(lambda connection: privacy.find(connection, channel, user))
    if other is None or other == person:
        console.print("they are one person already" if other else f"nobody is known as {args.other}")
        return 1
    await _act(store, lambda connection: linking.join(connection, person, other, by=BY, why="operator", now=_now()))
    console.print("linked")
    return 0


async def _unlink(store: Store, person: int, args: argparse.Namespace) -> int:
    channel, _, user = args.who.partition(":")
    parted = await store.write(
        lambda connection: linking.part(connection, privacy.identity(connection, channel, user), by=BY, now=_now())
    )
    console.print("unlinked" if parted else "this identity stands alone")
    return 0 if parted else 1


async def _act(store: Store, job: Callable[[Connection], None]) -> None:
    await store.write(job)


def _now() -> datetime:
    return datetime.now(UTC)


VERBS: dict[str, Callable[[Store, int, argparse.Namespace], Any]] = {
    "show": _show,
    "export": _export,
    "erase": _erase,
    "link": _link,
    "unlink": _unlink,
}
