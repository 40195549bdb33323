"""Citations: which passages an answer names by its marks, and which words of them say it. Pure.

A quote is an exact slice of its passage, short enough to be read.
"""

import re
from collections.abc import Iterator

from agent import overlap
from agent.engine import Passage, Shelf
from agent.sentences import Unit, units
from hub.message import Citation

MARK = re.compile(r"\[(\d{1,3})\]")
QUOTE = 200
"""Characters of a quote."""
SUPPORTED = 0.6
"""A passage that holds this part of an answer's terms is taken as its source where the model named none."""


def citations(text: str, shelf: Shelf, question: str) -> tuple[Citation, ...]:
    """The citation of each mark, in the order of the marks."""
    claims: dict[int, str] = {}
    for number, claim in _claims(text):
        claims[number] = f"{claims.get(number, '')} {claim}"
    return tuple(
        Citation(str(number), passage.document, passage.url, quote(passage, f"{question} {claim}"))
        for number, claim in claims.items()
        if (passage := shelf.get(number))
    )


def quote(passage: Passage, words: str) -> str:
    """The slice of the passage that holds these words best: the best unit, and its neighbours as far as they fit."""
    found = units(passage.text)
    whole = passage.text.strip()
    if len(whole) <= QUOTE or not found:
        return _short(whole)
    held = [overlap.terms(unit.text) for unit in found]
    weights = overlap.Weights(overlap.asked(words), held)
    best = max(range(len(found)), key=lambda n: (weights.weight(held[n]), -n))
    return slice_of(passage.text, found, best)


def slice_of(text: str, found: list[Unit], best: int) -> str:
    """The unit with what follows it, then with what stands before it, as far as that is short."""
    first = last = best
    while last + 1 < len(found) and found[last + 1].end - found[first].start <= QUOTE:
        last += 1
    while first and found[last].end - found[first - 1].start <= QUOTE:
        first -= 1
    return _short(text[found[first].start : found[last].end])


def sources(text: str, shelf: Shelf) -> list[int]:
    """The passages that hold what an answer without marks says; at most two, best first."""
    said = overlap.terms(text)
    if len(said) < 4:
        return []
    shares = [(len(said & overlap.terms(passage.text)) / len(said), -n) for n, passage in enumerate(shelf.passages, 1)]
    return [-n for share, n in sorted(shares, reverse=True)[:2] if share >= SUPPORTED]


def marks(text: str, *labels: int) -> str:
    """The marks that go behind this text; after a Chinese sentence they need no space."""
    told = "".join(f"[{label}]" for label in labels)
    return f" {told}" if told and not text.endswith(("。", "！", "？")) else told


def _short(text: str) -> str:
    return text[:QUOTE].strip()


def _claims(text: str) -> Iterator[tuple[int, str]]:
    """Each mark with the words before it, back to the mark before that or the beginning of the line."""
    start = 0
    claim = ""
    for found in MARK.finditer(text):
        words = text[start : found.start()].rsplit("\n", 1)[-1].strip()
        claim = words or claim
        yield int(found[1]), claim
        start = found.end()
