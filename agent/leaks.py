"""What a model may not say, whoever told it to: the rules that it was given, and addresses that nobody gave it. Pure.

A document can ask a model to put what it knows into an address, which a page then loads or a person follows. So an
address in an answer stands in a source, a tool's result, the operator's instructions or the conversation, letter by
letter, and no picture is shown at all.

What this can't see: the rules in other words.
"""

import re
from collections.abc import Iterator

from agent.prompt import RULES

BORDERS = r"\s<>()\[\]\"'“”‘’，。；：！？、（）【】《》"
"""Where an address ends in a text."""
ADDRESS = re.compile(rf"(?:https?://|(?<![a-z0-9.])www\.)[^{BORDERS}]+", re.IGNORECASE)
LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(\s*<?((?:[^()\s<>]|\([^()]*\))*)>?[^()\n]*\)")
DEFINITION = re.compile(r"^\s{0,3}\[[^\]\n]+\]:\s*\S+.*$", re.MULTILINE)
"""A link's address somewhere else in the text. https://spec.commonmark.org/0.31.2/#link-reference-definitions"""
TAG = re.compile(
    r"</?(?:(?:passage|memory|instructions)|(?:img|a|iframe|script|form|svg|video|audio|object)\b)[^<>]*>?",
    re.IGNORECASE,
)
HIDDEN = re.compile("[\U000e0000-\U000e007f]")
"""Tags of Unicode, which no one sees and a model reads."""
SHORT = 8
"""Characters of a rule that could be anybody's words."""
ALL = 24
"""Characters of instructions whose whole is not said; shorter ones may be an answer."""


def tight(text: str, given: str, instructions: str = "") -> str:
    """The text without these. `given` is all that addresses may be taken from."""
    text = HIDDEN.sub("", text)
    for told in _told(instructions):
        text = text.replace(told, "")
    text = TAG.sub("", DEFINITION.sub("", text))
    text = LINK.sub(lambda found: _link(found, given), text)
    text = text.replace("![", "[")
    return ADDRESS.sub(lambda found: found[0] if _stands(found[0], given) else "", text).strip()


def _told(instructions: str) -> Iterator[str]:
    """What the model was told, in lines; the whole of the operator's instructions."""
    whole = instructions.strip()
    if len(whole) >= ALL:
        yield whole
    for line in RULES.splitlines():
        rule = line.strip()
        if len(rule) >= SHORT:
            yield line
            yield rule.split(" ", 1)[-1]


def _link(found: re.Match[str], given: str) -> str:
    """A link whose address was given; of others, and of pictures, the words."""
    stays = not found[0].startswith("!") and _stands(found[2], given)
    return found[0] if stays else found[1]


def _stands(address: str, given: str) -> bool:
    """Whether an address was given as it stands, and not only the beginning of a longer one."""
    bare = address.rstrip(".,;:!?/")
    return bool(bare) and re.search(rf"{re.escape(bare)}[.,;:!?/]*(?![^{BORDERS}])", given) is not None
