"""Files that people send: read as the knowledge is, cut into passages, and those that a question is about.

What stands in a file is data for this one person's turn: it becomes numbered passages on the turn's own shelf, and
nothing of it ever reaches the knowledge.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import structlog

from agent import overlap
from agent.engine import Found, Passage
from agent.knowledge.chunks import document
from agent.knowledge.document import Part, Reading
from agent.knowledge.readers import FORMATS, NotRead
from agent.knowledge.readers.archive import entries
from agent.knowledge.reading import Readers
from hub.message import Media
from hub.turn import Attachment

log = structlog.get_logger()

PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
OFFICE = {"word/": ".docx", "xl/": ".xlsx", "ppt/": ".pptx"}
LENIENT = 1.5
"""Who has just sent a file most likely asks about it: a third of the question's words must stand in a passage."""
NAME = 80
"""Characters of a file's name that are kept."""


class Files:
    """Reads files of at most `most` bytes into texts of at most `characters`."""

    def __init__(self, *, most: int, characters: int) -> None:
        self._readers = Readers(most)
        self._characters = characters

    async def read(self, media: Media, data: bytes) -> Attachment | None:
        """Its words, or a picture as it is; None where it can't be read. Raises nothing."""
        if media.kind == "image":
            form = next((form for head, form in PICTURES.items() if data.startswith(head)), "")
            return Attachment(picture=data, media_type=form) if form else None
        return await self._words(media.name, data)

    async def _words(self, name: str, data: bytes) -> Attachment | None:
        suffix = await asyncio.to_thread(kind, name, data)  # the list of an archive may be long
        path = await asyncio.to_thread(_written, suffix, data)
        try:
            file = await self._readers.read(path)
        except NotRead:
            log.info("a file was not read", format=suffix)
            return None
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            await self._readers.close()
        text = "\n\n".join(part.text for part in (file.reading.parts if file.reading else ()))
        return Attachment(name[-NAME:] or f"file{suffix}", text[: self._characters])


def kind(name: str, data: bytes) -> str:
    """The suffix of its format: that of its name or, where this names none that is read, what the bytes look like."""
    named = PurePosixPath(name).suffix.lower()
    if named in FORMATS:
        return named
    if data.startswith(b"%PDF"):
        return ".pdf"
    if data.startswith(b"PK"):
        return _office(data)
    return "" if named or b"\0" in data[:4096] else ".txt"


def _office(data: bytes) -> str:
    try:
        names = [entry.filename for entry in entries(data)]
    except NotRead:
        return ""
    return next((suffix for folder, suffix in OFFICE.items() if any(n.startswith(folder) for n in names)), "")


def _written(suffix: str, data: bytes) -> Path:
    """A temporary file that nobody else may read."""
    handle, name = tempfile.mkstemp(suffix, "hub-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return Path(name)


def about(attachments: Sequence[Attachment], question: str, *, limit: int) -> Found:
    """The passages of these files that say most of what is asked; the first ones where none says anything of it."""
    pages = [page for number, each in enumerate(attachments) for page in _pages(number, each)]
    asked = overlap.asked(question)
    said = [overlap.terms(f"{page.heading}\n{page.text}") for page in pages]
    weights = overlap.Weights(asked, said)
    ranked = sorted(range(len(pages)), key=lambda n: -weights.weight(said[n]))[:limit]
    telling = {term for term in asked if len(term) > 1}
    held = [len(telling & said[n]) / len(telling) for n in ranked] if telling else []
    return Found(tuple(pages[n] for n in ranked), min(1.0, LENIENT * max(held, default=0.0)))


def _pages(number: int, file: Attachment) -> Iterator[Passage]:
    cut = document(f"file{number}", file.name, Reading(file.name, (Part(file.text),)), file.name)
    for piece in cut.slices:
        text, heading = cut.text[piece.start : piece.end], " › ".join(piece.headings)
        yield Passage(f"file{number}:{piece.key}", file.name, file.name, "", text, heading, lead=piece.lead)


def joined(file: Found, knowledge: Found) -> Found:
    """The person's own files first, unless only the knowledge answers; of the knowledge nothing that does not."""
    if not knowledge.answers:
        return file
    first, second = (file, knowledge) if file.answers else (knowledge, file)
    return Found((*first.passages, *second.passages), max(file.confidence, knowledge.confidence), knowledge.meant)
