"""Whether an answer says what its sources say. Pure, and without asking a model.

A statement rests on the marks behind it, or on the next marks in its line. Its numbers, dates and amounts must stand
in what it cites, in the question or in what a tool brought; its words must have something in common with the passage.
A mark that leads to another passage than the one that says it is set right, one that no passage bears out is taken
away, and a statement whose numbers stand nowhere is not said.

What this can't see: a statement that denies what its passage says in the same words and numbers.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent import overlap
from agent.cite import MARK, marks
from agent.engine import Passage, Shelf
from agent.knowledge import tokens
from agent.knowledge.clean import legible

LEAST = 0.2
"""The part of a statement's pairs of characters that its passage must hold; of passages about something else: 0.05."""
FEW = 4
"""A statement of fewer pairs is not judged by its words: yes, no, two days."""
END = re.compile(
    r"(?:[。！？!?；;…]+|\.(?=\s|\[|$)|(?=\n))[”’」』）)\"'*_]*(?:\s?\[\d{1,3}\])*\s*"
    r"|(?<=\])[，,、]?\s*(?=[^\s\[。！？!?；;，,.])"
)
LISTED = re.compile(r"^\s*(?:\d{1,2}[.)、]|[(（]\d{1,2}[)）])\s*", re.MULTILINE)
NUMBER = re.compile(r"(?P<later>下午|傍晚|晚上|晚|p\.?m\.?)?\s*(?P<figure>\d+(?:,\d{3})*(?:\.\d+)?)")
COUNTED = re.compile(
    f"(?P<numeral>{tokens.NUMERAL.pattern})个?(?=[元块天日号月周年岁折倍度点分秒克斤米升瓦台件单]|小时|公里|工作日|平方)"
)
"""A Chinese numeral before a unit; without one it may be part of any word (一般, 万一)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer with its marks: those behind it, or those that it shares with the next in its line."""

    text: str
    own: tuple[int, ...]
    shared: tuple[int, ...] = ()


def grounded(text: str, shelf: Shelf, given: str) -> str:
    """The answer without what its sources don't say; "" where they say nothing of it.

    `given` is what may be repeated without a source: the question, what was said before, what tools brought.
    """
    said: list[str] = []
    borne = False
    for statement in statements(text):
        cited = _passages(statement.own or statement.shared, shelf)
        if not cited:
            said.append(statement.text)
        elif all(_held(statement.text, cited, given)):
            said.append(_marked(statement, [n for n in statement.own if _says(statement.text, shelf.get(n), given)]))
            borne = True
        elif right := _elsewhere(statement.text, shelf, given):
            said.append(_marked(statement, [right]))
            borne = True
        elif _held(statement.text, cited, given)[0]:
            said.append(_marked(statement, []))
    return re.sub(r"\n{3,}", "\n\n", "".join(said)).strip() if borne else ""


def supported(text: str, passages: Sequence[Passage], given: str = "") -> bool:
    """Whether these passages together bear out a statement."""
    return all(_held(text, passages, given))


def statements(text: str) -> list[Statement]:
    """The sentences of an answer, which together are the whole of it."""
    found: list[Statement] = []
    shared: tuple[int, ...] = ()
    for piece in reversed(list(_sentences(text))):
        own = tuple(dict.fromkeys(int(mark) for mark in MARK.findall(piece)))
        if piece.endswith("\n"):
            shared = ()
        shared = own or shared
        found.append(Statement(piece, own, shared))
    return found[::-1]


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in END.finditer(text):
        if end.end() > start:
            yield text[start : end.end()]
            start = end.end()
    if start < len(text):
        yield text[start:]


def _passages(numbers: Iterable[int], shelf: Shelf) -> list[Passage]:
    return [passage for number in numbers if (passage := shelf.get(number))]


def _held(text: str, passages: Sequence[Passage], given: str) -> tuple[bool, bool]:
    """Whether the numbers of a statement stand in the passages, and whether its words do."""
    held = "\n".join(f"{p.document}\n{p.heading}\n{p.lead}\n{p.text}" for p in passages)
    words = LISTED.sub("", MARK.sub("", text))
    known = numbers(held) | numbers(given)
    return all(known & set(ways) for ways in _figures(words)), _alike(words, held)


def _says(text: str, passage: Passage | None, given: str) -> bool:
    """Whether a passage is one of those that bear out a statement: it need not hold all of its numbers."""
    return passage is not None and _held(text, [passage], given)[1]


def _elsewhere(text: str, shelf: Shelf, given: str) -> int | None:
    """The passage that says it, where the one that was named doesn't."""
    return next((n for n, passage in enumerate(shelf.passages, 1) if supported(text, [passage], given)), None)


def _alike(words: str, held: str) -> bool:
    told = {term for term in overlap.asked(words) if len(term) > 1}
    if len(told) < FEW or bool(tokens.IS_HAN.search(words)) != bool(tokens.IS_HAN.search(held)):
        return True  # too little to tell, or another language
    return len(told & overlap.terms(held)) >= LEAST * len(told)


def _marked(statement: Statement, right: list[int]) -> str:
    """The statement with these marks in the place of its own."""
    if not statement.own or tuple(right) == statement.own:
        return statement.text
    first = MARK.search(statement.text)
    assert first  # noqa: S101 — for the type checker: it has marks of its own
    before = statement.text[: first.start()].rstrip()
    return before + marks(before, *right) + MARK.sub("", statement.text[first.end() :])


# -- numbers


def numbers(text: str) -> frozenset[str]:
    """Every number that a text holds, in figures; 四点 in the afternoon is 4 and 16."""
    plain = unicodedata.normalize("NFKC", legible(text))
    spelled = (str(tokens.number(found)) for found in tokens.NUMERAL.findall(plain) if len(found) < 9)
    return frozenset(way for ways in _figures(plain) for way in ways) | frozenset(spelled)


def _figures(text: str) -> Iterator[tuple[str, ...]]:
    """Each number with the other ways to put it."""
    plain = unicodedata.normalize("NFKC", legible(text)).casefold()
    for found in NUMBER.finditer(plain):
        yield _ways(_figure(found["figure"]), later=bool(found["later"]))
    for counted in COUNTED.finditer(plain):
        if len(counted["numeral"]) < 9 and counted["numeral"] != "一":
            yield (str(tokens.number(counted["numeral"])),)


def _ways(figure: str, *, later: bool) -> tuple[str, ...]:
    return (figure, str(int(figure) + 12)) if later and figure.isdigit() and len(figure) < 3 else (figure,)


def _figure(found: str) -> str:
    """ "1,599.00" and "1599" are the same, "05" and "5" as well."""
    whole, _, rest = found.replace(",", "").partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")
