"""Passages taken apart into what can be quoted by itself: sentences, list items, rows of tables. Pure.

Every unit is an exact slice of the text, so that what is quoted can be shown where it stands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "prose", "lead", "item", "row", "question"]

HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S")
FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")
ROW = re.compile(r" {0,3}\|.*\|\s*$")
RULE = re.compile(r" {0,3}\|?[\s:|-]*-[\s:|-]*\|?\s*$")
ITEM = re.compile(
    r"\s*(?:[-*+•·●▪–][ \t]+|\d{1,3}[.)）][ \t]*(?!\d)|\d{1,3}、|[(（]\d{1,3}[)）]|[一二三四五六七八九十]{1,3}、|[①-⑳])"
    r"\s*\S"
)
ASKED = re.compile(r"\s*[*_]{0,2}(?:问题?|Q|Question)\s*\d{0,3}\s*[:：.、][*_]{0,2}\s*", re.IGNORECASE)
ANSWERED = re.compile(r"\s*[*_]{0,2}(?:答案?|A|Answer)\s*\d{0,3}\s*[:：.、][*_]{0,2}\s*", re.IGNORECASE)
END = re.compile(r"(?:[。！？!?…]|(?<=[^\d\s.][a-zA-Z0-9)\"'%])\.(?=\s+[A-Z\"'(\d]|\s*$))+[”’」』）)\]\"'*_]*\s*")


@dataclass(frozen=True, slots=True)
class Unit:
    """One quotable piece of a text: text[start:end] is `text`. `block` counts the paragraphs and lists it stands in."""

    start: int
    end: int
    text: str
    kind: Kind
    block: int


def units(text: str) -> list[Unit]:
    """The units of a passage, in order."""
    return [unit for unit in _units(text) if unit.text]


def _units(text: str) -> Iterator[Unit]:
    block, before = 0, ""
    for start, end in _lines(text):
        line = text[start:end]
        kind = _kind(line)
        if not line.strip() or kind != before:
            block += 1
        before = kind
        if RULE.match(line) and not line.strip("\n").isspace():
            continue
        if kind != "prose":
            yield _unit(text, start, end, kind, block)
            continue
        answer = ANSWERED.match(line)
        yield from _sentences(text, start + (answer.end() if answer else 0), end, block)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Lines; a block of code and an item with the indented lines under it are one."""
    start = place = 0
    fenced = held = False
    for line in text.splitlines(keepends=True):
        mark = bool(FENCE.match(line))
        goes_on = fenced or (held and line.startswith(("  ", "\t")) and line.strip() and not ITEM.match(line))
        if place > start and not goes_on:
            yield start, place
            start = place
        fenced, held = fenced != mark, goes_on or bool(ITEM.match(line))
        place += len(line)
    if place > start:
        yield start, place


def _kind(line: str) -> Kind:
    if HEADING.match(line):
        return "heading"
    if ROW.match(line):
        return "row"
    if ASKED.match(line):
        return "question"
    return "item" if ITEM.match(line) or FENCE.match(line) else "prose"


def _sentences(text: str, start: int, end: int, block: int) -> Iterator[Unit]:
    last = start
    for found in END.finditer(text, start, end):
        yield _unit(text, last, found.end(), "prose", block)
        last = found.end()
    if text[last:end].strip():
        yield _unit(text, last, end, "prose", block)


def _unit(text: str, start: int, end: int, kind: Kind, block: int) -> Unit:
    """Without the space around it. Prose that ends in a colon leads to what follows."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    piece = piece.strip()
    if kind == "prose" and piece.endswith((":", "：")):
        kind = "lead"
    return Unit(start, start + len(piece), piece, kind, block)
