"""A process that stores messages until it is killed: `python -m tests.memory.writer URL FOLDER`.

A line `KEY` on standard input is answered by `stored KEY` or `refused KEY`. After the line `*` it stores messages
of its own without end, sixteen at a time, and says of each that it is stored.
"""

import asyncio
import itertools
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import structlog

from hub.errors import NotStored
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity
from memory.journal import SqlJournal
from memory.store import open_store


async def store(journal: SqlJournal, key: str) -> None:
    """Stores one, and says how it went."""
    place = Conversation("test", "", "room", "group")
    message = InboundMessage(key, place, Identity("test", "", "u" + key[-1:]), (Text("内容" * 50),))
    try:
        await journal.accept(message, now=datetime.now(UTC))
    except NotStored:
        word = "refused"
    else:
        word = "stored"
    os.write(1, f"{word} {key}\n".encode())


async def flood(journal: SqlJournal) -> None:
    """Stores without end."""
    keys = (f"{os.getpid()}-{number}" for number in itertools.count())

    async def one_after_the_other() -> None:
        for key in keys:
            await store(journal, key)

    await asyncio.gather(*(one_after_the_other() for _ in range(16)))


async def main(url: str, folder: Path) -> None:
    """Says `ready`, then does what it is told."""
    async with open_store(url, folder) as opened:
        journal = SqlJournal(opened)
        os.write(1, b"ready\n")
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await (flood(journal) if line == "*" else store(journal, line))


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
