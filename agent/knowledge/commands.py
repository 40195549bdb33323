"""`python -m hub knowledge …`: the documents from the shell, also while the hub runs.

Words go through the database, meaning through the process that owns the vectors; both are shared with a running
hub, which notices what changed here within a second.
"""

import argparse
import json
import sys
from pathlib import Path

from agent.engine import Passage
from agent.knowledge.catalogue import Known
from agent.knowledge.desk import PATIENCE, Desk, embed, look_over, most, open_desk, sources
from agent.knowledge.readers import FORMATS, readable
from agent.knowledge.reading import Readers
from agent.knowledge.search import Search
from agent.knowledge.sources import Seen, bring, files
from config import Config
from hub.errors import NotStored
from hub.observe import configure_logs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    commands = parser.add_subparsers(dest="do", required=True, metavar="add|list|remove|search")
    add = commands.add_parser("add", help="read files and folders into the knowledge")
    add.add_argument("paths", nargs="+", metavar="PATH", type=Path)
    listed = commands.add_parser("list", help="the documents: id, passages, title, source")
    remove = commands.add_parser("remove", help="forget a document")
    remove.add_argument("ids", nargs="+", metavar="ID")
    search = commands.add_parser("search", help="the passages that answer a question")
    search.add_argument("question", metavar="QUESTION", help="or -: one question a line on standard input")
    search.add_argument("--limit", type=int, default=5)
    search.add_argument("--json", action="store_true", help="one JSON array a question")
    for command in (add, listed, remove, search):
        command.add_argument("--config", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


async def run(args: argparse.Namespace, config: Config) -> int:
    """The exit status."""
    configure_logs("error", secrets=config.secrets)
    commands = {"add": add, "list": listed, "remove": remove, "search": search}
    try:
        async with open_desk(config) as desk:
            return await commands[args.do](desk, args)
    except NotStored:
        return _failed("the database does not answer")


# -- add


async def add(desk: Desk, args: argparse.Namespace) -> int:
    """Reads them, and makes their vectors."""
    known = await desk.archive.known()
    readers = Readers(most(desk.config))
    status = 0
    try:
        for path in map(Path.absolute, args.paths):
            status |= await _add_all(desk, path, known, readers)
    finally:
        await readers.close()
    await embed(desk)
    return status


async def _add_all(desk: Desk, path: Path, known: dict[str, Known], readers: Readers) -> int:
    if wrong := _unreadable(path):
        return _failed(f"{path}: {wrong}")
    before = {source: one for source, one in known.items() if one.state == "read"}
    watched = sources(desk).holds(path)
    seen = list(files(path))
    for file in seen:
        await bring(desk.archive, file, before.get(str(file.path)), readers, watched=watched)
    return _report(await desk.archive.known(), seen)


def _unreadable(path: Path) -> str:
    if not path.exists():
        return "is not there"
    if path.is_file() and not readable(path):
        return f"is none of {', '.join(sorted(FORMATS))}"
    return ""


def _report(known: dict[str, Known], seen: list[Seen]) -> int:
    """A line a file; 1 when one of them was not read."""
    status = 0
    for one in filter(None, (known.get(str(file.path)) for file in seen)):
        if one.state == "read":
            _say(_line(one))
        else:
            status = _failed(f"{one.source}: {one.why}")
    return status


# -- list, remove


async def listed(desk: Desk, args: argparse.Namespace) -> int:
    """A line a document."""
    await look_over(desk)
    for one in (await desk.archive.known()).values():
        if one.state != "removed":
            _say(_line(one))
    return 0


def _line(one: Known) -> str:
    count = f"{one.passages} passages" if one.state == "read" else f"left out: {one.why}"
    return "  ".join((one.id, f"{count:<14}", one.title, one.source))


async def remove(desk: Desk, args: argparse.Namespace) -> int:
    """Forgets them. A file under a source stays away until it changes."""
    await look_over(desk)
    known = {one.id: one for one in (await desk.archive.known()).values() if one.state != "removed"}
    status = 0
    for document in args.ids:
        if (one := known.get(document)) is None:
            status = _failed(f"{document}: there is no such document; `knowledge list` names them")
        elif one.watched:
            await desk.archive.forget([document], "removed by hand")
            _say(f"{one.source} is forgotten. It lies under a source: it is read again when the file changes.")
        else:
            await desk.archive.forget([document])
            _say(f"{one.source} is forgotten.")
    return status


# -- search


async def search(desk: Desk, args: argparse.Namespace) -> int:
    """The passages, best first."""
    await look_over(desk)
    searching = Search(desk.archive, desk.vectors, patience=PATIENCE)
    questions = (line.rstrip("\r\n") for line in sys.stdin) if args.question == "-" else iter([args.question])
    for question in questions:
        found = await searching.search(question, limit=max(args.limit, 1))
        _say(_json(found.passages) if args.json else _text(found.passages))
    return 0


def _json(passages: tuple[Passage, ...]) -> str:
    return json.dumps(
        [
            {
                "document": one.document,
                "source": one.url or one.source,
                "heading": one.heading,
                "passage": one.text,
                "score": one.score,
            }
            for one in passages
        ],
        ensure_ascii=False,
    )


def _text(passages: tuple[Passage, ...]) -> str:
    if not passages:
        return "nothing found"
    shown = []
    for number, one in enumerate(passages, 1):
        title = " / ".join(filter(None, (one.document, one.heading)))
        shown.append(f"{number}. {title}  ({one.score:.2f})\n   {one.source}\n\n{one.text}\n")
    return "\n".join(shown)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _failed(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1
