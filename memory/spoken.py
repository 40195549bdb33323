"""The words by which a person rules over what is kept of them. Pure.

A command is the whole message, with what follows it. Full-width letters, case and white space do
not matter, since people type on phones.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Command = Literal["link", "use", "unlink", "memory", "pin", "unpin", "forbid", "allow", "forget", "human", "agent"]

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
    "/agent": "agent",
    "转机器人": "agent",
    "/memory allow": "allow",
}
FOLLOWED: tuple[tuple[Command, re.Pattern[str]], ...] = (
    ("use", re.compile(r"(?:/link(?=[\s:])|绑定账号)[\s:]*([0-9a-z][0-9a-z-]{0,39})")),
    ("pin", re.compile(r"(?:/memory\s+pin\s+|固定记忆\s*)(\d{1,3})")),
    ("unpin", re.compile(r"(?:/memory\s+unpin\s+|取消固定\s*)(\d{1,3})")),
    ("forbid", re.compile(r"/memory\s+forbid\s+(.{1,40})|(?:删除记忆|不要记)\s*(\d{1,3})")),
    ("forbid", re.compile(r"(?:请|你)?(?:不要|别|不许)再?(?:记住?|记录|记下|保存)(?:关于)?我的?(.{1,20}?)了?")),
    ("allow", re.compile(r"/memory\s+allow\s+(.{1,40})|(?:可以|重新)记(?:住|录)?我的?(.{1,20})")),
)
"""Commands and what follows them: a code, the number of a fact, or words for what is meant."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command and what follows it."""

    command: Command
    what: str = ""


def spoken(text: str) -> Spoken | None:
    """The command that these words are; None for anything else."""
    words = unicodedata.normalize("NFKC", text).strip().rstrip("。.!！")
    bare = words.lower()
    if bare in WORDS:
        return Spoken(WORDS[bare])
    for command, form in FOLLOWED:
        if found := form.fullmatch(bare):
            return Spoken(command, next(filter(None, found.groups())).strip())
    return None
