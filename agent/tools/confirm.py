"""The question that a person says yes to before a tool acts: how it is put, and which words answer it.

The question is made by the hub from what the operator declared and from the arguments as they will be used, never from
a model's words. What is kept of it, and when it still stands, is in memory/confirmations.py.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent.tools.shown import filled
from agent.tools.tool import Manner, Tool
from hub.message import Choice
from hub.person import Language
from hub.texts import texts
from hub.turn import Answer
from memory import confirmations
from memory.confirmations import Heard, Said, Word
from memory.sensitive import masked
from memory.store import Store

ENGINE = "confirm"
"""Who speaks when no engine does."""

PLAIN: Mapping[str, Word] = {
    **dict.fromkeys(("y", "yes", "是", "是的", "确认", "确定", "confirm"), "yes"),
    **dict.fromkeys(("n", "no", "否", "不", "取消", "cancel"), "no"),
}
LOOSE: Mapping[str, Word] = {
    **dict.fromkeys(("好", "好的", "可以", "同意", "对", "对的", "ok", "okay", "sure"), "yes"),
    **dict.fromkeys(("不是", "不要", "不用", "不用了", "不同意", "算了"), "no"),
}
"""Words that answer a question where there is one, and mean something else where there is none."""
PRESSED = re.compile(r"([yn])#(\d{1,18})")
LONG = 80
"""Characters of a value that are shown."""
MARKUP = str.maketrans("\\`*[]<>|~", "＼｀＊［］＜＞｜～")
"""What Markdown would take for its own, and what looks the same."""
SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def said(text: str) -> Said | None:
    """The yes or no that these words are; None for anything else."""
    words = unicodedata.normalize("NFKC", text).strip().rstrip("。.!！~").casefold()
    if pressed := PRESSED.fullmatch(words):
        return Said("yes" if pressed[1] == "y" else "no", int(pressed[2]))
    if words in PLAIN:
        return Said(PLAIN[words])
    return Said(LOOSE[words], plain=False) if words in LOOSE else None


def wording(manner: Manner, arguments: Mapping[str, Any], language: Language) -> str:
    """The question: the operator's template with the values in it, or the tool's title with a line for each value."""
    says = texts(language).confirm
    values = {name: value_of(value) or says.nothing for name, value in arguments.items()}
    if manner.ask:
        return filled(manner.ask, values)
    lines = (says.argument.format(name=manner.titles.get(name, name), value=value) for name, value in values.items())
    return says.ask.format(tool=manner.title, arguments="\n".join(lines)).strip()


def value_of(given: object) -> str:
    """A value as it may stand in a question: one line, no markup, not too long, sensitive numbers masked."""
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    words = masked(SPACE.sub(" ", text).strip())
    cut = words if len(words) <= LONG else words[: LONG - 1] + "…"
    return cut.translate(MARKUP)


class Confirmations:
    """Asks, and hears what is said to it. `seconds` is how long a question stands. Implements agent.tools.uses.Ask."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime], seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._lasts = timedelta(seconds=seconds)

    async def ask(self, turn: str, tool: Tool, given: Mapping[str, Any], language: Language) -> Answer:
        """The question. What is kept is what the person is shown: what the turn itself says is asked for anew.

        Raises NotStored.
        """
        asked = {name: value for name, value in given.items() if name not in tool.policy.bind}
        arguments = json.dumps(asked, ensure_ascii=False)
        now, name = self._clock(), tool.spec.name
        until = now + self._lasts
        number = await self._store.write(lambda c: confirmations.ask(c, turn, name, arguments, now=now, until=until))
        words = wording(tool.manner, asked, language)
        says = texts(language).confirm
        minutes = max(round(self._lasts.total_seconds() / 60), 1)
        choices = (Choice(says.yes, f"Y#{number}", say="Y"), Choice(says.no, f"N#{number}", say="N"))
        return Answer(f"{words}\n\n{says.until.format(minutes=minutes)}", choices=choices, engine=ENGINE)

    async def hear(self, turn: str, text: str) -> Heard | None:
        """What the person's words come to; None where they answer no question. Raises NotStored."""
        if not (heard := said(text)):
            return None
        return await self._store.write(lambda c: confirmations.hear(c, turn, heard, now=self._clock()))


def closing(heard: Heard, language: Language) -> Answer | None:
    """What is said where nothing is to be done; None after a yes."""
    says = texts(language).confirm
    sentences = {"no": says.declined, "done": says.done, "late": says.late, "other": says.other}
    return Answer(sentences[heard.standing], engine=ENGINE) if heard.standing in sentences else None
