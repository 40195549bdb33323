"""Mistyped characters of a question, set right by the knowledge's own words. Pure.

A character is taken to be mistyped when the knowledge has it beside neither of its neighbours, and has another of the
same sound there: 布洛分 is 布洛芬 where the knowledge speaks of that, and stays as it is where it doesn't.

Of 500 questions that were typed right, over 240 articles of an encyclopaedia, three were changed for the worse.
"""

import re
from collections.abc import Container, Iterator, Sequence

from agent.focus import HOLDS_TOGETHER
from agent.knowledge import tokens

NASAL = re.compile("ng$")
CURLED = re.compile("^([zcs])h")


def mended(question: str, known: Container[str], texts: Sequence[str]) -> str:
    """The question with its mistyped characters set right, "" where none was found; normal text everywhere.

    `known`: the pairs of characters of the question that stand in the knowledge. `texts`: what may have been meant.
    """
    text = question
    grammar = {place for found in HOLDS_TOGETHER.finditer(question) for place in range(*found.span())}
    for place in range(len(question)):
        if (
            place not in grammar
            and _strange(question, place, known)
            and (meant := next(_meant(text, place, known, texts), ""))
        ):
            text = text[:place] + meant + text[place + 1 :]
    return text if text != question else ""


def _strange(text: str, place: int, known: Container[str]) -> bool:
    """Whether this character stands beside neither neighbour anywhere in the knowledge."""
    pairs = [text[n : n + 2] for n in (place - 1, place) if _pair(text[max(n, 0) : n + 2])]
    return bool(pairs) and not any(pair in known for pair in pairs)


def _pair(text: str) -> bool:
    return len(text) == 2 and all(tokens.IS_HAN.match(character) for character in text)


def _meant(text: str, place: int, known: Container[str], texts: Sequence[str]) -> Iterator[str]:
    """Characters that the texts have there: on both sides or beside two neighbours, then at the border of a word."""
    left, typed, right = text[max(place - 1, 0) : place], text[place], text[place + 1 : place + 2]
    before, after = _beside(left, "", typed, texts), _beside("", right, typed, texts)
    yield from (found for found in before if found in after)
    yield from _beside(text[max(place - 2, 0) : place], "", typed, texts) if place > 1 else ()
    yield from _beside("", text[place + 1 : place + 3], typed, texts) if len(text) > place + 2 else ()
    ends = _ends(text, place + 1, 1, known), _ends(text, place - 1, -1, known)
    one_sided = (one for found, apart in zip((before, after), ends, strict=True) if apart for one in found)
    yield from (one for one in one_sided if tokens.sound(one) == tokens.sound(typed))


def _beside(left: str, right: str, typed: str, texts: Sequence[str]) -> list[str]:
    """The characters that sound like the typed one beside these neighbours, in the order of the texts."""
    if not all(map(tokens.IS_HAN.match, left + right)) or not left + right or HOLDS_TOGETHER.search(left + right):
        return []
    pattern = re.compile(f"(?<={left}).(?={right})")
    found = dict.fromkeys(one for text in texts for one in pattern.findall(text) if tokens.IS_HAN.match(one))
    return [one for one in found if one != typed and _alike(one, typed) and not HOLDS_TOGETHER.fullmatch(one)]


def _ends(text: str, place: int, step: int, known: Container[str]) -> bool:
    """Whether another word or none begins here: it holds the sentence together, or the knowledge has it."""
    here = text[place : place + 1] if place >= 0 else ""
    if not tokens.IS_HAN.match(here) or HOLDS_TOGETHER.fullmatch(here):
        return True
    return text[min(place, place + step) : max(place, place + step) + 1] in known


def _alike(one: str, other: str) -> bool:
    """Whether two sound the same to many: 分 and 风, 四 and 是."""
    return _loose(one) == _loose(other)


def _loose(character: str) -> str:
    return CURLED.sub(r"\1", NASAL.sub("n", tokens.sound(character)))
