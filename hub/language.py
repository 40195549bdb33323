"""Which language words are in, as far as the hub's own sentences go: Chinese unless they are plainly English."""

import re

from hub.person import Language

CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
WORD = re.compile(r"(?<![\w/.-])[A-Za-z]{1,20}(?![\w/-])")
COMMON = frozenset(
    """a an the is are was am be do does did can could will would should may how what when where why which who i me my
    we our you your it its to of in on for from with at by and or not no yes please thanks thank thx hello hi hey bye
    help goodbye need want have has get there this that""".split()  # noqa: SIM905 — a list of words reads better as words
)
"""Words that stand in nearly every English sentence and in no model number, name or code."""


def spoken(text: str) -> Language | None:
    """The language of these words; None for what tells nothing (a number, a name, a code)."""
    if CHINESE.search(text):
        return "zh"
    words = [word.lower() for word in WORD.findall(text)]
    if not COMMON.isdisjoint(words) or len(words) >= 4:
        return "en"
    return None
