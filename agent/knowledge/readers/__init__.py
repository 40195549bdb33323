"""Files in, readings out: one module a format, each a plain function from bytes to a Reading.

Formats that need a parser of their own are read in a process of their own (agent/knowledge/reading.py): what a
broken or hostile file does to a parser written in C stays there.
"""

import hashlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.knowledge.document import Reading
from hub.errors import HubError

FORMATS: Mapping[str, str] = {
    ".md": "text",
    ".markdown": "text",
    ".txt": "text",
    ".csv": "table",
    ".tsv": "table",
    ".html": "page",
    ".htm": "page",
    ".pdf": "pdf",
    ".docx": "word",
    ".pptx": "slides",
    ".xlsx": "sheet",
    ".xlsm": "sheet",
}
LIGHT = frozenset({"text", "table"})
"""Read with the standard library alone: in a thread."""


class NotRead(HubError):
    """A file of the knowledge can't be read. The message says why; the file is left out."""


@dataclass(frozen=True, slots=True)
class File:
    """What was read of a file; `reading` is None when its bytes are the ones that were known."""

    digest: str
    reading: Reading | None


def readable(path: Path) -> bool:
    """Whether this is a file of a known format and no editor's or office program's temporary file."""
    return path.suffix.lower() in FORMATS and not path.name.startswith((".", "~", "#"))


def light(path: Path) -> bool:
    """Whether it takes no parser to read it."""
    return FORMATS.get(path.suffix.lower(), "") in LIGHT


def read(path: Path, *, known: str = "", most: int) -> File:
    """Reads a file of at most `most` bytes. `known` is the digest of what was read before. Raises NotRead."""
    try:
        if path.stat().st_size > most:
            raise NotRead(f"larger than {most // 2**20} MB")
        data = path.read_bytes()
    except OSError as error:
        raise NotRead(error.strerror or "can't be opened") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest == known:
        return File(digest, None)
    return File(digest, parse(path.suffix, data))


def parse(suffix: str, data: bytes) -> Reading:
    """The reading of these bytes. Raises NotRead."""
    name = FORMATS.get(suffix.lower())
    if name is None:
        raise NotRead("not a format that can be read")
    module = importlib.import_module(f"agent.knowledge.readers.{name}")
    try:
        reading: Reading = module.read(data, suffix.lower())
    except NotRead:
        raise
    except Exception as error:  # whatever a parser makes of a broken file, the next file is read
        raise NotRead(f"broken: {type(error).__name__}: {str(error)[:200]}") from error
    if not any(part.text.strip() for part in reading.parts):
        raise NotRead("no text in it")
    return reading
