"""What is sent: cards of JSON 2.0, and plain texts. Pure.

Cards     https://open.feishu.cn/document/feishu-cards/card-json-v2-structure
Markdown  https://open.feishu.cn/document/feishu-cards/card-json-v2-components/content-components/rich-text

An answer may hold what somebody else wrote. So nothing in it mentions anybody (<at id=all>, in cards and in texts),
a picture becomes a link, since a card takes only pictures that were uploaded, and a link leads to a web page.
"""

import json
import re
from collections.abc import Iterator, Sequence

from channels.feishu.payload import Value
from channels.kit.harmless import FOREIGN, TAG
from channels.kit.xml import clean
from hub.fit import plain
from hub.message import Choice, Conversation

ANSWER = "answer"
"""The element_id of the text in a card that grows."""
WAITING = "…"
"""What a card shows before there is anything to show."""
PICTURE = re.compile(r"!(\[[^\[\]\n]{0,200}\]\([^()\s]{1,500}\))")
FENCE = re.compile(r" {0,3}(```|~~~)")
RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
CELL = re.compile(r"(?<!\\)\|")


def card(text: str, choices: Sequence[Choice] = (), *, said: Conversation | None = None, thread: str = "") -> str:
    """A card with a Markdown text and a button for each choice; `said` is the conversation that a click belongs to."""
    elements: list[object] = [{"tag": "markdown", "content": text, "element_id": ANSWER}]
    if choices and said:
        elements.append(_buttons(choices, said, thread))
    return _json({"schema": "2.0", "config": {"update_multi": True}, "body": {"elements": elements}})


def growing() -> str:
    """The card of an answer that grows."""
    config = {"update_multi": True, "streaming_mode": True}
    elements = [{"tag": "markdown", "content": WAITING, "element_id": ANSWER}]
    return _json({"schema": "2.0", "config": config, "body": {"elements": elements}})


def grown() -> str:
    """The settings of a card that has its whole text."""
    return _json({"config": {"streaming_mode": False}})


def shown(card_id: str) -> str:
    """The content of the message that shows a card."""
    return _json({"type": "card", "data": {"card_id": card_id}})


def words(text: str) -> str:
    """The content of a plain text message."""
    return _json({"text": TAG.sub("＜", plain(clean(text)))})


def _json(value: object) -> str:
    return _whole(json.dumps(value, ensure_ascii=False))


def _whole(text: str) -> str:
    """The text with a question mark for half a surrogate pair, which can't travel."""
    return text.encode("utf-8", "replace").decode()


def _buttons(choices: Sequence[Choice], said: Conversation, thread: str) -> object:
    columns = [
        {"tag": "column", "width": "auto", "elements": [_button(choice, said, thread, first=not number)]}
        for number, choice in enumerate(choices)
    ]
    return {"tag": "column_set", "flex_mode": "flow", "columns": columns}


def _button(choice: Choice, said: Conversation, thread: str, *, first: bool) -> object:
    value = Value(say=choice.value, label=choice.label, kind=said.kind, thread=thread)
    return {
        "tag": "button",
        "type": "primary" if first else "default",
        "text": {"tag": "plain_text", "content": choice.label or choice.value},
        "behaviors": [{"type": "callback", "value": value.model_dump()}],
    }


def markdown(text: str, *, tables: int) -> str:
    """Markdown that a card takes: so many tables, the others in lines."""
    return "\n".join(_lines(TAG.sub("＜", FOREIGN.sub("] ", clean(text))).split("\n"), tables))


def _lines(lines: Sequence[str], tables: int) -> Iterator[str]:
    """Line by line: code stays as it is, and so does a table while there is room for one."""
    number, fence = 0, ""
    while number < len(lines):
        line = lines[number]
        if mark := FENCE.match(line):
            fence = "" if fence == mark[1] else fence or mark[1]
        rows = 0 if fence else _table(lines, number)
        if not rows:
            yield line if fence else PICTURE.sub(r"\1", line)
            number += 1
            continue
        table = lines[number : number + rows]
        yield from table if tables > 0 else _flat(table)
        tables -= 1
        number += rows


def _table(lines: Sequence[str], start: int) -> int:
    """The number of lines of the table that begins here, 0 where there is none."""
    if "|" not in lines[start] or not RULE.fullmatch(_at(lines, start + 1)) or "|" not in _at(lines, start + 1):
        return 0
    end = start + 2
    while "|" in _at(lines, end):
        end += 1
    return end - start


def _at(lines: Sequence[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _flat(table: Sequence[str]) -> Iterator[str]:
    """A table as lines: its head in bold, then a line for each row."""
    head, rows = table[0], table[2:]
    yield "**" + " ｜ ".join(_cells(head)) + "**"
    for row in rows:
        yield "- " + " ｜ ".join(_cells(row))


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in CELL.split(row.strip().strip("|"))]


def without_rules(text: str) -> str:
    """The text with no line left that could be taken for the rule of a table, not even inside code."""
    return "\n".join(line for line in text.split("\n") if not ("|" in line and RULE.fullmatch(line)))
