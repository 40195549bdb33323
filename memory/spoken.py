"""The words by which a person rules over what is kept of them. Pure.

A command is the whole message; a code is what follows /link. Full-width letters, case and white space do
not matter, since people type on phones.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Command = Literal["link", "use", "unlink", "memory", "forget", "human"]

WORDS: dict[str, Command] = {
    "/link": "link",
    "绑定账号": "link",
    "/unlink": "unlink",
    "解除绑定": "unlink",
    "/memory": "memory",
    "我的记忆": "memory",
    "/forget": "forget",
    "忘记我": "forget",
    "/human": "human",
    "转人工": "human",
}
CODE = re.compile(r"(?:/link(?=[\s:])|绑定账号)[\s:]*([0-9A-Za-z][0-9A-Za-z-]{0,39})")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command and, for "use", the code."""

    command: Command
    code: str = ""


def spoken(text: str) -> Spoken | None:
    """The command that these words are; None for anything else."""
    words = unicodedata.normalize("NFKC", text).strip().rstrip("。.!！")
    bare = words.lower()
    if bare in WORDS:
        return Spoken(WORDS[bare])
    if found := CODE.fullmatch(bare):
        return Spoken("use", found[1])
    return None
