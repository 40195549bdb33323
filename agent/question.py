"""What a question tells by itself: its language, its parts, small talk, whether it hangs on the one before. Pure."""

import re
from typing import Literal

from agent.knowledge import tokens
from hub.language import spoken
from hub.person import Language
from hub.turn import Turn

SmallTalk = Literal["greeting", "thanks", "acknowledged", "goodbye", "introduction"]

SAID: tuple[tuple[SmallTalk, str], ...] = (
    (
        "greeting",
        "(请问)?(你们?好|您好|嗨|哈[喽罗啰]|早上好|早安|上午好|中午好|下午好|晚上好|晚安|在(吗|么|不在|线吗)?"
        "|有人(在)?(吗|么)?)|(hi|hello|hey|goodmorning|goodafternoon|goodevening)(there)?",
    ),
    (
        "thanks",
        "(好的?|嗯+|ok)?(非常|太|十分)?(谢谢|多谢|感谢|谢了|辛苦)(你们?|您|大家|了)?"
        "|thanks?(you)?(somuch|verymuch|alot)?|thx",
    ),
    (
        "acknowledged",
        "好的?|好吧|嗯+|哦+|行|收到|明白了?|知道了|了解了?|没事了?|没有了|ok(ay)?|gotit|isee|fine|great",
    ),
    ("goodbye", "再见|拜拜|回头见|下次见|bye|goodbye|byebye|seeyou"),
    (
        "introduction",
        "[你您](是谁|叫什么(名字)?|是(什么|哪位|机器人|人工|真人))|[你您](能|会|可以)?(做|干|帮我?做?)(些|点)?什么"
        "|whoareyou|whatcanyoudo|help|帮助",
    ),
)
SMALL_TALK = tuple((kind, re.compile(f"(?:{said})(?:[啊呀哦吗呢哈啦吧]|亲)*")) for kind, said in SAID)
NO_WORD = re.compile(r"[\W_]+")

HANGING = re.compile(
    r"(?:那|它|他|她|这|该|其|还有|另外|以及|然后|再|如果|要是|可是|但"
    r"|and\b|but\b|what about|how about|then\b|it\b|that\b|this\b|they\b)"
    r"|.*(?:呢|它|这个|那个|这种|那种)[?？]?$",
    re.IGNORECASE,
)
HANGS = 24
"""Characters of the longest question that is taken to hang on the one before."""

LOOSE = re.compile(r"(?P<before>[0-9a-z]?)(?P<loose>[\s,.!?;:~…，。！？、；：～\"'“”‘’]+)(?=(?P<after>[0-9a-z]?))")
OPENING = re.compile(
    r"(?:(?:[你您]好|哈[喽罗啰]|在吗|亲)[\s,.!?~,。，！？～]+|(?:(?:请问|请教|我?想(?:问|咨询)|麻烦问)(?:一下)?))+"
)
CLOSING = re.compile(r"(?:[呢呀啊哦]|[\s,.!?~,。，！？～]|[你您]?谢谢)+")
"""What is said around a question out of courtesy; 吗 is none: it makes a question of a statement.

The end is read backwards: an end that is looked for from each beginning takes the square of a long row of dots.
"""

MOST_PARTS = 4
BORDER = re.compile(r"[?？。!！;；\n]+|(?:[,，]\s*)(?=还有|另外|以及|顺便|同时|and\b|also\b)", re.IGNORECASE)


def language(text: str, otherwise: Language) -> Language:
    """The language of these words; of a person who says only "12.5" or "OK", the one that is known of them."""
    return spoken(text) or otherwise


def small_talk(text: str) -> SmallTalk | None:
    """What kind of small talk these words are, None when they ask something."""
    words = NO_WORD.sub("", tokens.normal(text[:60]))
    first = next((kind for kind, pattern in SMALL_TALK if pattern.fullmatch(words)), None)
    return first or _twice(words)


def _twice(words: str) -> SmallTalk | None:
    """Two in one breath, "好的,谢谢": the second counts."""
    for _, pattern in SMALL_TALK:
        if (head := pattern.match(words)) and head.end() and head.end() < len(words):
            rest = words[head.end() :]
            return next((second for second, other in SMALL_TALK if other.fullmatch(rest)), None)
    return None


def normal(question: str) -> str:
    """The question without what makes no difference; two with the same rest ask the same.

    Width, case, script, courtesy, punctuation and space make none. "3.5" and "35", "C++" and "C" stay different.
    """
    whole = tokens.normal(question).strip()
    told = _plainly(whole) or whole
    return LOOSE.sub(_kept, told.replace("您", "你"))


def _plainly(question: str) -> str:
    """Without courtesy at either end."""
    began = OPENING.match(question)
    told = question[began.end() :] if began else question
    ended = CLOSING.match(told[::-1])
    return told[: len(told) - ended.end()] if ended else told


def _kept(found: re.Match[str]) -> str:
    """Punctuation and space only matter between letters or digits."""
    if not (found["before"] and found["after"]):
        return found["before"]
    return found["before"] + (" " if found["loose"].isspace() else found["loose"])


def hangs(text: str) -> bool:
    """Whether these words may make sense only after what was asked before."""
    words = text.strip()
    return len(words) <= HANGS and bool(HANGING.match(words))


def joined(turn: Turn) -> str:
    """The question after the one before it, as one; "" when it stands by itself or is the first."""
    if not hangs(turn.text):
        return ""
    before = next((said.text for said in reversed(turn.history) if said.by == "person"), "")
    before = before.strip().rstrip("?？。！!，, ")
    return f"{before} {turn.text}" if before else ""


def parts(text: str) -> list[str]:
    """The questions in a message that asks several things; of very many, the first and all the rest as one."""
    found = [part for part in (piece.strip() for piece in BORDER.split(text)) if part] or [text]
    return [*found[: MOST_PARTS - 1], " ".join(found[MOST_PARTS - 1 :])] if len(found) > MOST_PARTS else found
