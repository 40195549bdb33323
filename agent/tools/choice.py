"""Which tool a question asks for, and with which values, where no model is there to say so. Pure.

A tool is chosen by the questions that its operator declared for it, and only where one is very like what was asked and
no other tool's is. A question that asks how, what or how long where the example does not, or that says no where the
example does not, asks for something else: knowledge, most likely. In doubt nothing is chosen.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from agent.engine import ToolSpec
from agent.knowledge import tokens
from hub.turn import Turn

HELD = 0.7
"""The part of an example that the question has to hold."""
SAID = 0.4
"""The part of the question that the example has to hold."""
AHEAD = 0.1
"""How far the best tool is ahead of the next."""
ASKS = re.compile(
    "怎么|怎样|如何|多久|多少|什么|为何|哪些|几天|规定|规则|政策|流程|条件|标准|能不能|可不可以|可以.{0,8}[吗么]|是否|区别"
    r"|\b(?:how|what|when|which|why|policy|rules?|may|can)\b"
)
DENIES = re.compile(r"[不别没未]|\b(?:not|no|never|don't|won't)\b")
POLITE = re.compile("请问|麻烦|帮忙|一下|谢谢|您好|你好|能|请|帮|吗|呢|啊|了|吧")
WORD = re.compile(r"[a-z0-9']+|[^\W_]")
NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?(?![\d.])")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A tool and what the question gives it. `missing` names what has to be known besides, as people call it."""

    name: str
    arguments: str
    missing: tuple[str, ...] = ()


def choose(turn: Turn, question: str, tools: Iterable[ToolSpec]) -> Chosen | None:
    """The tool that the words ask for; `question` is the same with the question before it where it hangs on that."""
    scored = sorted(
        ((_likeness(words, tool), n, tool) for n, tool in enumerate(tools) for words in (turn.text, question)),
        key=lambda one: (-one[0], one[1]),
    )
    if not scored or not scored[0][0]:
        return None
    best, _, tool = scored[0]
    if any(best - score < AHEAD for score, _, other in scored if score and other is not tool):
        return None
    rules = json.loads(tool.parameters)
    texts = [turn.text, question, *(said.text for said in reversed(turn.history))]
    found = dict(_values(rules.get("properties", {}), texts))
    absent = [name for name in rules.get("required", ()) if name not in found]
    titles = tuple(_title(name, rules["properties"].get(name, {})) for name in absent)
    return Chosen(tool.name, json.dumps(found, ensure_ascii=False), titles)


def _likeness(words: str, tool: ToolSpec) -> float:
    """How like the words are to the example that is most like them; 0 where none is like enough."""
    properties = json.loads(tool.parameters).get("properties", {}) if tool.examples else {}
    asked = _plain(words, properties)
    return max((_alike(asked, _plain(example, properties)) for example in tool.examples), default=0.0)


def _alike(asked: str, example: str) -> float:
    if _marks(ASKS, asked) - _marks(ASKS, example) or _marks(DENIES, asked) != _marks(DENIES, example):
        return 0.0
    mine, theirs = _pairs(asked), _pairs(example)
    if not mine or not theirs:
        return 0.0
    held, said = len(mine & theirs) / len(theirs), len(mine & theirs) / len(mine)
    return (held + said) / 2 if held >= HELD and said >= SAID else 0.0


def _marks(pattern: re.Pattern[str], text: str) -> set[str]:
    return {found[:2] for found in pattern.findall(text)}


def _plain(words: str, properties: Mapping[str, Any]) -> str:
    """The words without what differs from one question to the next: values, and politeness."""
    text = tokens.normal(words)
    for rules in properties.values():
        for value in _written(rules, text):
            text = text.replace(tokens.normal(value), " ")
    return text


def _pairs(text: str) -> set[str]:
    """Pairs of neighbours, words of Latin letters and characters of Chinese; a single one by itself."""
    units = WORD.findall(POLITE.sub("", text))
    return {f"{a} {b}" for a, b in pairwise(units)} or set(units)


def _values(properties: Mapping[str, Any], texts: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Each value that the first text that holds any of its kind holds exactly one of."""
    for name, rules in properties.items():
        found: list[str] = next((held for text in texts if (held := _written(rules, text))), [])
        if len(found) == 1:
            kind = rules.get("type")
            yield name, int(found[0]) if kind == "integer" else float(found[0]) if kind == "number" else found[0]


def _written(rules: Mapping[str, Any], text: str) -> list[str]:
    """The different values of a parameter that stand in a text: of its choices, of its pattern, or numbers."""
    if "enum" in rules:
        return [str(choice) for choice in rules["enum"] if str(choice) and str(choice) in text]
    if pattern := str(rules.get("pattern", "")):
        inner = pattern.removeprefix("^").removesuffix("$")
        found = (match[0] for match in re.finditer(rf"(?<![A-Za-z0-9])(?:{inner})(?![A-Za-z0-9])", text))
        return list(dict.fromkeys(filter(None, found)))
    if rules.get("type") in ("integer", "number"):
        numbers = dict.fromkeys(NUMBER.findall(text))
        return [number for number in numbers if rules["type"] == "number" or "." not in number]
    return []


def _title(name: str, rules: Mapping[str, Any]) -> str:
    return str(rules.get("title") or rules.get("description") or name)
