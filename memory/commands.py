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
from memory import audit, facts, handing, linking, privacy, wishes
from memory.store import Store, open_store

console = Console(soft_wrap=True, highlight=False)
BY = "operator"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
    for verb, (text, _) in VERBS.items():
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("who", metavar="CHANNEL:USER", help="any identity of the person, such as oa:<openid>")
        one.add_argument("--account", default="", help="the platform's account, where several know this id")
        if verb == "erase":
            one.add_argument("--yes", action="store_true", help="ask nothing")
        if verb == "link":
            one.add_argument("other", metavar="CHANNEL:USER")
            one.add_argument("--other-account", default="", help="the account of the second one")
        if verb in ("pin", "unpin", "forbid"):
            one.add_argument("what", metavar="NUMBER|WORD" if verb == "forbid" else "NUMBER", help="see `facts`")


async def run(args: argparse.Namespace, config: Config) -> int:
    """0 done, 1 when there is no such person or nothing was done."""
    async with open_store(config.storage.url.value, config.hub.data_dir) as store:
        channel, _, user = args.who.partition(":")
        try:
            person = await store.read(lambda connection: privacy.find(connection, channel, user, args.account))
        except privacy.SeveralPeople as accounts:
            console.print(f"several people are known as {args.who}; write --account, one of: {accounts}", markup=False)
            return 1
        if person is None:
            console.print(f"nobody is known as {args.who}; write CHANNEL:USER, with the channel's name in hub.toml")
            return 1
        status: int = await VERBS[args.verb][1](store, person, args)
        return status


async def _show(store: Store, person: int, args: argparse.Namespace) -> int:
    await _note(store, person, "show")
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
    whole = await store.scrub()
    console.print("erased" if whole else f"erased; the database's files hold bytes of it until {_cleaned(store)}")
    return 0


def _cleaned(store: Store) -> str:
    """What takes them out of the files."""
    return "VACUUM FULL, run by you in its database" if store.dialect == "postgresql" else "its next VACUUM"


async def _link(store: Store, person: int, args: argparse.Namespace) -> int:
    channel, _, user = args.other.partition(":")
    try:
        other = await store.read(lambda connection: privacy.find(connection, channel, user, args.other_account))
    except privacy.SeveralPeople as accounts:
        console.print(
            f"several people are known as {args.other}; write --other-account, one of: {accounts}", markup=False
        )
        return 1
    if other is None or other == person:
        console.print("they are one person already" if other else f"nobody is known as {args.other}")
        return 1
    await _act(store, lambda connection: linking.join(connection, person, other, by=BY, why="operator", now=_now()))
    console.print("linked")
    return 0


async def _unlink(store: Store, person: int, args: argparse.Namespace) -> int:
    channel, _, user = args.who.partition(":")

    def job(connection: Connection) -> tuple[bool, int]:
        one = privacy.identity(connection, channel, user, args.account)
        return linking.part(connection, one, by=BY, now=_now()), linking.mates(connection, one)

    parted, mates = await store.write(job)
    left = f"; it is still one person with {mates} more, run it again to part them, too" if mates else ""
    console.print(f"unlinked{left}" if parted else "this identity stands alone")
    return 0 if parted else 1


async def _facts(store: Store, person: int, args: argparse.Namespace) -> int:
    await _note(store, person, "show")
    told, banned = await store.read(lambda connection: (_told(connection, person), wishes.bans(connection, person)))
    for number, one in enumerate(told, 1):
        until = f", until {one.until:%Y-%m-%d}" if one.until else ""
        pinned = ", pinned" if one.pinned else ""
        console.print(f"{number}. {one.fact.text} ({one.channel}, {one.said_at:%Y-%m-%d}{until}{pinned})", markup=False)
    for ban in banned:
        console.print(f"not remembered: {ban.name}", markup=False)
    return 0


def _told(connection: Connection, person: int) -> list[facts.Told]:
    return facts.listed(connection, person, facts.PRIVATE, now=_now())


async def _pin(store: Store, person: int, args: argparse.Namespace) -> int:
    def job(connection: Connection) -> bool:
        one = facts.numbered(_told(connection, person), args.what)
        if one:
            wishes.pin(connection, person, one.fact, single=one.single, pinned=args.verb == "pin")
            audit.write(connection, audit.Entry(BY, args.verb, f"person {person}"), now=_now())
        return one is not None

    return _said(await store.write(job), args.verb, "there is no such number; see `facts`")


async def _forbid(store: Store, person: int, args: argparse.Namespace) -> int:
    def job(connection: Connection) -> bool:
        one = facts.numbered(_told(connection, person), args.what)
        if one is None and args.what.isdecimal():
            return False
        ban = wishes.ban_of(one.fact, single=one.single) if one else wishes.ban(args.what)
        channel, _, user = args.who.partition(":")
        row = privacy.identity(connection, channel, user, args.account)
        wishes.forbid(connection, row, person, ban, place=facts.PRIVATE, by=BY, now=_now())
        audit.write(connection, audit.Entry(BY, "forbid", f"person {person}"), now=_now())
        return True

    return _said(await store.write(job), "forbidden", "there is no such number; see `facts`")


async def _allow(store: Store, person: int, args: argparse.Namespace) -> int:
    def job(connection: Connection) -> int:
        lifted = wishes.allow(connection, person, None)
        if lifted:
            audit.write(connection, audit.Entry(BY, "allow", f"person {person}"), now=_now())
        return lifted

    return _said(bool(await store.write(job)), "allowed", "nothing was forbidden")


async def _return(store: Store, person: int, args: argparse.Namespace) -> int:
    def job(connection: Connection) -> int:
        places = handing.of_person(connection, person)
        return sum(handing.give_back(connection, place, by=BY, now=_now()) for place in places)

    return _said(bool(await store.write(job)), "the agent answers again", "no conversation of theirs is with people")


def _said(done: bool, yes: str, no: str) -> int:
    console.print(yes if done else no)
    return 0 if done else 1


async def _note(store: Store, person: int, act: str) -> None:
    """Writes into the audit log what an operator does, before it is done."""
    await _act(store, lambda connection: audit.write(connection, audit.Entry(BY, act, f"person {person}"), now=_now()))


async def _act(store: Store, job: Callable[[Connection], None]) -> None:
    await store.write(job)


def _now() -> datetime:
    return datetime.now(UTC)


VERBS: dict[str, tuple[str, Callable[[Store, int, argparse.Namespace], Any]]] = {
    "show": ("identities, and how much is kept", _show),
    "facts": ("what is remembered of private words, numbered, and what is not to be", _facts),
    "pin": ("the agent is told this fact whatever is asked", _pin),
    "unpin": ("no longer so", _pin),
    "forbid": ("forgets a fact, or what holds a word, and does not remember it again", _forbid),
    "allow": ("lifts all that was forbidden", _allow),
    "return": ("the agent answers again where people had taken over", _return),
    "link": ("joins two people, on the operator's word", _link),
    "unlink": ("undoes the last join of this identity", _unlink),
    "export": ("everything that is kept, as JSON on standard output", _export),
    "erase": ("removes every trace", _erase),
}
