"""`python -m hub answers …`: approved answers from the shell, also while the hub runs: it notices within a second."""

import argparse
import sys
from pathlib import Path

from agent.approved import book, sheet
from agent.approved.answer import Approved
from config import Config
from hub.observe import configure_logs
from memory.store import Store, open_store


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    commands = parser.add_subparsers(dest="do", required=True, metavar="list|add|remove|import|export")
    listed = commands.add_parser("list", help="the questions that have an approved answer: id, question, answer")
    add = commands.add_parser("add", help="approve an answer; the question's answer before is replaced")
    add.add_argument("question", metavar="QUESTION")
    add.add_argument("answer", metavar="ANSWER")
    add.add_argument("--source", default="", help="what the answer rests on, as people shall read it")
    add.add_argument("--url", default="", help="where that stands")
    remove = commands.add_parser("remove", help="withdraw answers")
    remove.add_argument("ids", nargs="+", type=int, metavar="ID")
    brought = commands.add_parser("import", help="approve the answers of a CSV file: question, answer, source, url")
    brought.add_argument("file", type=Path, metavar="FILE")
    export = commands.add_parser("export", help="all of them as CSV, to a file or to standard output")
    export.add_argument("file", nargs="?", type=Path, metavar="FILE")
    for command in (listed, add, remove, brought, export):
        command.add_argument("--config", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


async def run(args: argparse.Namespace, config: Config) -> int:
    """0 done, 1 not done."""
    configure_logs("error", secrets=config.secrets)
    commands = {"list": _list, "add": _add, "remove": _remove, "import": _import, "export": _export}
    async with open_store(config.storage.url.value, config.hub.data_dir) as store:
        return await commands[args.do](store, args)


async def _list(store: Store, args: argparse.Namespace) -> int:
    for row in await store.read(book.rows):
        answer = " ".join(row.approved.answer.split())
        _say(f"{row.id}  {row.approved.question}  →  {answer[:80]}{'…' if len(answer) > 80 else ''}")
    return 0


async def _add(store: Store, args: argparse.Namespace) -> int:
    cells = {name: str(getattr(args, name)).strip() for name in book.COLUMNS}
    faults = [f"{name} is empty" for name in ("question", "answer") if not cells[name]] + list(sheet.wrong(cells))
    return _failed(*faults) if faults else await _put(store, (Approved(**cells),))


async def _remove(store: Store, args: argparse.Namespace) -> int:
    gone = await store.write(lambda connection: book.remove(connection, args.ids, book.now()))
    for one in gone:
        _say(f"{one} is withdrawn")
    return _failed(
        *(f"{one}: there is no such answer; `answers list` names them" for one in args.ids if one not in gone)
    )


async def _import(store: Store, args: argparse.Namespace) -> int:
    try:
        found = sheet.read(args.file.read_bytes())
    except OSError as error:
        return _failed(f"{args.file}: {error.strerror}")
    if found.faults:
        return _failed(*(f"{args.file}: {fault}" for fault in found.faults), "nothing was imported")
    return await _put(store, found.answers)


async def _put(store: Store, answers: tuple[Approved, ...]) -> int:
    new = await store.write(lambda connection: book.put(connection, answers, book.now()))
    _say(f"{new} approved, {len(answers) - new} replaced")
    return 0


async def _export(store: Store, args: argparse.Namespace) -> int:
    text = sheet.write([row.approved for row in await store.read(book.rows)])
    if args.file is None:
        sys.stdout.write(text)
        return 0
    try:
        args.file.write_bytes(text.encode("utf-8-sig"))  # with its mark, or spreadsheets take it for something else
    except OSError as error:
        return _failed(f"{args.file}: {error.strerror}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _failed(*faults: str) -> int:
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0
