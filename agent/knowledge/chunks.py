"""Cuts a document into passages: at headings, then between sentences, packed to at most 400 characters. Pure.

A passage is an exact slice of the document's text, so that a citation can always be shown where it stands. A
heading is never part of a slice that has text of its own under it; it is the slice's context. Rows of a table
stay whole and carry the table's header. Neighbours in a long section share a sentence, so that what a
sentence refers to is found with it.

Measured on 154,000 characters of Chinese: 4 % of the passages end inside a sentence (splitting by length: 60-90 %).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from agent.knowledge.clean import clean
from agent.knowledge.document import Document, Part, Reading, Slice

MOST = 400
SHARED = 120
JOINT = "\n\n"

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ITEM = re.compile(r"\s*(?:[-*+•·]|\d{1,3}[.、)）]|[(（]\d{1,3}[)）]|[一二三四五六七八九十]{1,3}、|[问答QA][:：])\s*")
SENTENCE = re.compile(r"(?:[^。！？!?；;.]|\.(?!\s))+(?:[。！？!?；;.]+[”’」』）)\]\"']*\s*)?|[。！？!?；;.]+\s*")
CLAUSE = re.compile(r"[^，,、：:\s]*(?:[，,、：:\s]+|$)")
MARKS = re.compile(r"[*_`~]+|!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is not cut: a sentence, a row, a short list item. `lead` is the header of the table it belongs to."""

    start: int
    end: int
    lead: str = ""
    shareable: bool = False


@dataclass(slots=True)
class Section:
    """The units below one heading. `path` has the headings above them with their levels, the section's own last.

    `heading` is where the heading itself stands, None before the first one.
    """

    path: tuple[tuple[int, str], ...] = ()
    heading: Unit | None = None
    units: list[Unit] = field(default_factory=list)

    @property
    def level(self) -> int:
        return self.path[-1][0] if self.path else 0


def document(identity: str, source: str, reading: Reading, name: str) -> Document:
    """The document that is stored. `name` is its title where neither the file nor its first heading names one."""
    texts, slices, place = [], [], 0
    for part in reading.parts:
        if text := clean(part.text):
            slices += [replace(s, start=s.start + place, end=s.end + place) for s in cut(replace(part, text=text))]
            texts.append(text)
            place += len(text) + len(JOINT)
    text = JOINT.join(texts)
    first = next((s.headings[0] for s in slices if s.headings), "")
    title = one_line(reading.title) or first or name
    url = reading.url if reading.url.startswith(("https://", "http://")) else ""
    return Document(identity, source, title, text, tuple(_keyed(identity, text, slices)), url)


def _keyed(identity: str, text: str, slices: Sequence[Slice]) -> Iterator[Slice]:
    """The same words twice under the same heading get keys of their own, in order."""
    seen: Counter[str] = Counter()
    for piece in slices:
        said = "\x1f".join((identity, *piece.headings, piece.anchor, piece.lead, text[piece.start : piece.end]))
        seen[said] += 1
        yield replace(piece, key=hashlib.sha256(f"{said}\x1f{seen[said]}".encode()).hexdigest()[:20])


def one_line(text: str) -> str:
    """A title or a heading in one line, without Markdown marks."""
    return " ".join(MARKS.sub(lambda found: found[1] or "", clean(text[:1000])).split())[:200]


def cut(part: Part) -> list[Slice]:
    """The passages of one part; their keys are given later."""
    sections = [Section(units=[Unit(0, len(part.text))])] if part.form == "row" else _sections(part)
    return [
        Slice("", unit.start, unit.end, tuple(name for _, name in section.path), part.anchor, unit.lead)
        for section in sections
        for unit in _packed(part.text, section.units)
    ]


def _sections(part: Part) -> Iterator[Section]:
    """Sections in order. One that has nothing but its heading says that, unless deeper headings carry it."""
    found = [Section()]
    for start, end, heading in _blocks(part):
        if heading is None:
            found[-1].units += _units(part.text, start, end, plain=part.form == "plain")
        else:
            above = tuple(one for one in found[-1].path if one[0] < heading[0])
            found.append(Section((*above, heading), Unit(start, end)))
    for section, following in zip(found, [*found[1:], Section()], strict=True):
        if section.units:
            yield section
        elif section.heading and following.level <= section.level:
            said = section.heading
            yield Section(section.path[:-1], said, list(_pieces(part.text, said.start, said.end)))


def _blocks(part: Part) -> Iterator[tuple[int, int, tuple[int, str] | None]]:
    """Stretches of lines: (start, end, None) for text, (start, end, (level, words)) for a heading."""
    fence, start, place = "", 0, 0
    for line in part.text.splitlines(keepends=True):
        heading = None if fence or part.form == "plain" else _heading(line.rstrip("\n"))
        if heading:
            if part.text[start:place].strip():
                yield start, place, None
            yield place, place + len(line.rstrip("\n")), heading
            start = place + len(line)
        fence = _fenced(fence, line)
        place += len(line)
    if part.text[start:].strip():
        yield start, len(part.text), None


def _heading(line: str) -> tuple[int, str] | None:
    """The level and the words of a heading. Its end is cut and not searched for: a line may be a megabyte of marks."""
    mark = HEADING.match(line)
    words = line[mark.end() :].rstrip(" \t#") if mark else ""
    return (len(mark[1]), one_line(words)) if mark and words.strip() else None


def _fenced(fence: str, line: str) -> str:
    """The mark of the code block that is open after this line, "" when none is."""
    mark = FENCE.match(line)
    if mark is None:
        return fence
    return mark[1][0] if not fence else ("" if mark[1][0] == fence else fence)


def _units(text: str, start: int, end: int, *, plain: bool) -> Iterator[Unit]:
    """The units of a stretch without headings: rows of tables, list items, sentences."""
    lines = []
    place = start
    for line in text[start:end].splitlines(keepends=True):
        lines.append((place, place + len(line)))
        place += len(line)
    at = 0
    while at < len(lines):
        table = 0 if plain else _table(text, lines, at)
        if table:
            yield from _rows(text, lines[at : at + table])
            at += table
        else:
            yield from _sentences(text, *lines[at])
            at += 1


def _table(text: str, lines: Sequence[tuple[int, int]], at: int) -> int:
    """How many of the lines from `at` on are one Markdown table; 0 when that one begins none."""
    if at + 1 >= len(lines) or not _row(text, lines[at]) or not _rule(text, lines[at + 1]):
        return 0
    end = at + 2
    while end < len(lines) and _row(text, lines[end]):
        end += 1
    return end - at


def _row(text: str, line: tuple[int, int]) -> bool:
    said = text[slice(*line)].strip()
    return len(said) > 1 and said.startswith("|") and said.endswith("|")


def _rule(text: str, line: tuple[int, int]) -> bool:
    """The line below a table's header."""
    said = text[slice(*line)].strip()
    return "-" in said and set(said) <= set("|:- \t")


def _rows(text: str, lines: Sequence[tuple[int, int]]) -> Iterator[Unit]:
    """The header with the first row, then each row with the header as its lead."""
    header = text[lines[0][0] : lines[0][1]].strip()
    first_end = lines[min(2, len(lines) - 1)][1]
    yield Unit(lines[0][0], first_end)
    for start, end in lines[3:]:
        yield Unit(start, end, header)


def _sentences(text: str, start: int, end: int) -> Iterator[Unit]:
    """The sentences of one line; a short list item stays whole."""
    line = text[start:end]
    if ITEM.match(line) and len(line) <= MOST:
        yield Unit(start, end)
        return
    for found in SENTENCE.finditer(line):
        if found[0].strip():
            yield from _pieces(text, start + found.start(), start + found.end())


def _pieces(text: str, start: int, end: int) -> Iterator[Unit]:
    """One sentence; between its clauses, or anywhere, where it is longer than a passage may be."""
    if end - start <= MOST:
        yield Unit(start, end, shareable=end - start <= SHARED)
        return
    last = start
    for found in CLAUSE.finditer(text, start, end):
        if found.end() - last > MOST and found.start() > last:
            yield Unit(last, found.start())
            last = found.start()
        while found.end() - last > MOST:
            yield Unit(last, last + MOST)
            last += MOST
    if last < end:
        yield Unit(last, end)


def _packed(text: str, units: Sequence[Unit]) -> Iterator[Unit]:
    """Units side by side in slices of at most MOST characters; a slice after another begins with its last sentence."""
    held: list[Unit] = []
    for unit in units:
        if held and unit.end - held[0].start > MOST:
            yield _joined(text, held)
            held = held[-1:] if held[-1].shareable and unit.end - held[-1].start <= MOST else []
        held.append(unit)
    if held:
        yield _joined(text, held)


def _joined(text: str, units: Sequence[Unit]) -> Unit:
    """One slice over these units, without white space at its ends."""
    start, end = units[0].start, units[-1].end
    said = text[start:end]
    return Unit(start + len(said) - len(said.lstrip()), end - len(said) + len(said.rstrip()), units[0].lead)
