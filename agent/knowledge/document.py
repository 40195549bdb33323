"""A document as its reader gives it, and the passages that it is cut into. Frozen values, no input or output."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Form = Literal["markdown", "plain", "row"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a document that has one place: a page, a slide, a row of a sheet, or the whole file.

    `anchor` says where it stands in words that people can follow ("第 3 页", "价目!12"), "" where the document has
    no such places. `form` says how it is cut: at Markdown headings and sentences, at sentences, or not at all.
    """

    text: str
    anchor: str = ""
    form: Form = "markdown"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found in a file. `title` and `url` (where people may open it) are "" where the file names none."""

    title: str
    parts: tuple[Part, ...]
    url: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """A passage within its document: `text[start:end]`, under these headings.

    `lead` is the header of the table that the slice goes on with, "" elsewhere. `key` is the same as long as the
    passage says the same in the same document and place, so that only what changed is embedded again.
    """

    key: str
    start: int
    end: int
    headings: tuple[str, ...] = ()
    anchor: str = ""
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A document's text, in the form in which it is stored, and its passages in order."""

    id: str
    source: str
    title: str
    text: str
    slices: tuple[Slice, ...]
    url: str = ""

    def words(self, piece: Slice) -> str:
        """What is searched and embedded for a passage: title, headings, table header, then its own text."""
        return searched(self.title, piece.headings, piece.lead, self.text[piece.start : piece.end])


def searched(title: str, headings: Sequence[str], lead: str, text: str) -> str:
    """Title, headings and table header stand before the passage's own text, each once."""
    above = headings if title in headings[:1] else (title, *headings)
    return "\n".join(filter(None, (" / ".join(filter(None, above)), lead, text)))
