"""What the index by word is made of: words, numbers, Chinese characters in pairs and alone, and their sounds. Pure.

The same functions make the index and the question. A pair says almost as much as a word and needs no dictionary
(measured: word segmenters find nothing more in passages and cost 100 MB). Sounds are pinyin without tones, a
character at a time and without context: question and document are treated alike, so that 退货 typed as 推货 is found.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from agent.knowledge.clean import legible

if TYPE_CHECKING:
    from opencc import OpenCC

VERSION = 1
"""Grows with every change of the tokens; an index made by another version is made again."""

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
RUN = re.compile(f"[{HAN}\u3041-\u30ff\uac00-\ud7af]+|[0-9]+(?:\\.[0-9]+)?|[^\\W\\d_{HAN}\u3041-\u30ff\uac00-\ud7af]+")
IS_HAN = re.compile(f"[{HAN}\u3041-\u30ff\uac00-\ud7af]")
LATIN = re.compile("[^\\W\\d_]{2,}")
NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万]+")
DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10000}
MARKUP = re.compile(r"<[^<>]{1,300}>|https?://\S+")
ASKING = re.compile(
    "请问|你好|您好|麻烦|帮我|告诉我|我想知道|想问(?:一下)?|什么(?:时候|样)?|怎么(?:样|办)?|怎样|如何|为什么|为何|是不是|有没有|能不能"
    "|可不可以|是否|可以|哪(?:些|个|里|儿|天|种|家|位|一)?|多少|多久|几时|何时|谁|吗|呢|吧|啊|呀|的|了|是|在|有|你们|我们|咱们|贵司|一下"
)


def normal(text: str) -> str:
    """Half-width, lower case, simplified."""
    return unicodedata.normalize("NFKC", legible(text)).casefold().translate(_SIMPLE)


def folded(text: str) -> str:
    """Half-width and simplified, as what makes vectors is told it: in two scripts the same words lie apart."""
    return unicodedata.normalize("NFKC", legible(text)).translate(_SIMPLE)


def words(text: str) -> list[str]:
    """Latin words, numbers, and pairs of neighbouring Chinese characters, in order; of normal text."""
    return list(_words(text))


def _words(text: str) -> Iterator[str]:
    for run in RUN.findall(text):
        if IS_HAN.match(run):
            yield from map("".join, pairwise(run))
            yield from (str(number(found)) for found in NUMERAL.findall(run) if found != "一" and len(found) < 9)
        else:
            yield stem(run)


def characters(text: str) -> list[str]:
    """Single Chinese characters; of normal text."""
    return IS_HAN.findall(text)


def sounds(text: str) -> list[str]:
    """Pairs of neighbouring syllables; of normal text. "tui_huo" stands for 退货 and for 推货."""
    found = []
    for run in RUN.findall(text):
        if IS_HAN.match(run):
            syllables = [sound(character) for character in run]
            found += [f"{a}_{b}" for a, b in pairwise(syllables)]
    return found


def telling(text: str) -> str:
    """A question without the words that only ask, and without markup; of normal text."""
    return ASKING.sub(" ", MARKUP.sub(" ", text))


def stem(word: str) -> str:
    """An English word without the ending of its plural, "-ing" or "-ed"."""
    for ending, kept in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and word.isascii():
            bare = word[: -len(ending)] + kept
            if ending in ("ing", "ed") and bare[-1] == bare[-2] and bare[-1] not in "lsz":
                return bare[:-1]
            return bare if ending != "s" or not word.endswith("ss") else word
    return word


def number(numeral: str) -> int:
    """The value of a Chinese numeral; digits in a row are read as a number in figures (二〇二六 is 2026)."""
    if not set(numeral) & set(SCALES):
        return int("".join(str(DIGITS[c]) for c in numeral))
    whole = section = digit = 0
    for c in numeral:
        if c in DIGITS:
            digit = DIGITS[c]
        elif c == "万":
            whole, section, digit = (whole + section + digit) * SCALES[c], 0, 0
        else:
            section += (digit or 1) * SCALES[c]
            digit = 0
    return whole + section + digit


class _Simple(dict[int, str]):
    """Traditional → simplified, a character at a time, learnt as characters come along."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if code < 0x3400 else str(_converter().convert(character))
        return self[code]


_SIMPLE = _Simple()


@cache
def _converter() -> "OpenCC":
    from opencc import OpenCC  # here, because most questions need none

    return OpenCC("t2s")


@cache
def sound(character: str) -> str:
    """Without tone; the character itself where it has no sound.

    pypinyin's dictionary of phrases costs 45 MB and is not needed for one character at a time.
    """
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(character))
