"""Makes text safe and comparable without changing what it says; what is stored, shown and cited has gone through here.

Full-width punctuation stays: people wrote it. Only characters that look like others and are not are replaced:
PDF files give radicals in the place of the characters themselves, which nobody can search for.
https://www.unicode.org/charts/PDF/U2E80.pdf, https://www.unicode.org/charts/PDF/U2F00.pdf
"""

import re
import unicodedata

# NFKC knows the Kangxi radicals (U+2F00), not those of the supplement (U+2E80) that are characters of their own.
PAIRS = (
    "⺎兀⺒巳⺓幺⺜日⺝月⺟母⺠民⺢水⺦爿⺩王⺪疋⺬示⺯糸⺱网⺷羊⺸羊⺻聿⺼月⺽臼⻁虎⻃西⻄西⻅见⻆角⻇角⻉贝⻊足⻋车"
    "⻑长⻒長⻓长⻔门⻕阜⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻟食⻡首⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻲亀⻳龟"
)
RADICALS = str.maketrans(PAIRS[::2], PAIRS[1::2])
COMPATIBLE = re.compile("[\u2f00-\u2fdf\uf900-\ufaff\ufb00-\ufb06\U0002f800-\U0002fa1f]")
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
BREAKS = re.compile("\r\n?|[\x85\u2028\u2029]")
SPACES = re.compile("[\xa0\u2002-\u200a\u202f\u205f]")
LINE_ENDS = re.compile(r"(?<![ \t])[ \t]+(?=\n)")
GAPS = re.compile(r"\n{3,}")
MARKED = re.compile(r"[^\w\s]{31,}")
MARKS = 30
"""Marks on one letter, as many as Unicode's stream-safe text has: https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format"""


def clean(text: str) -> str:
    """The text without what is invisible, with lookalike characters replaced and blank lines made single."""
    text = INVISIBLE.sub("", BREAKS.sub("\n", text))
    text = COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text).translate(RADICALS)
    text = legible(unicodedata.normalize("NFC", legible(SPACES.sub(" ", text))))
    return GAPS.sub("\n\n", LINE_ENDS.sub("", text)).strip()


def legible(text: str) -> str:
    """The text with no more marks on a letter than anybody reads: putting n of them in order takes n squared steps."""
    return text if text.isascii() else MARKED.sub(_thinned, text)


def _thinned(found: re.Match[str]) -> str:
    kept, marks = list[str](), 0
    for character in found[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS:
            kept.append(character)
    return "".join(kept)
