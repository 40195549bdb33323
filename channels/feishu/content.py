"""The content of a message in: a JSON string whose form depends on the message's type. Pure.

https://open.feishu.cn/document/server-docs/im-v1/message-content-description/message_content
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from hub.errors import Unreadable
from hub.message import Event, Location, Media, Part, Text

FILES: Mapping[str, Any] = {"file": "file", "folder": "file", "audio": "voice", "media": "video"}


def parts(kind: str, raw: str, names: Mapping[str, str], *, message: str) -> tuple[Part, ...]:
    """What the message consists of. `names` says who is meant by each mention, "" for ourselves. Raises Unreadable."""
    content = _object(raw)
    match kind:
        case "text":
            return _text(_words(content, "text"), names)
        case "post":
            return tuple(_post(content, names, message))
        case "image":
            return tuple(_media("image", _words(content, "image_key"), message))
        case "file" | "folder" | "audio" | "media":
            name = PurePosixPath(_words(content, "file_name").replace("\\", "/")).name  # never a way through folders
            return tuple(_media(FILES[kind], _words(content, "file_key"), message, name))
        case "location":
            return (_location(content),)
        case _:
            return (Event(kind.lower()),)


def _object(raw: str) -> Mapping[str, Any]:
    try:
        content = json.loads(raw or "{}")
    except (ValueError, RecursionError):
        raise Unreadable("the content is no JSON") from None
    return content if isinstance(content, dict) else {}


def _words(content: Mapping[str, Any], key: str) -> str:
    found = content.get(key)
    return found if isinstance(found, str) else ""


def _text(text: str, names: Mapping[str, str]) -> tuple[Part, ...]:
    return (Text(named(text, names)),)


def named(text: str, names: Mapping[str, str]) -> str:
    """The text with names in place of the keys of mentions, and without the mention of ourselves."""
    if not names:
        return text
    keys = "|".join(re.escape(key) for key in sorted(names, key=len, reverse=True))
    mention = re.compile(rf"({keys})(?!\d)( ?)")
    return mention.sub(lambda m: f"@{names[m[1]]}{m[2]}" if names[m[1]] else "", text).strip()


def _post(content: Mapping[str, Any], names: Mapping[str, str], message: str) -> Iterator[Part]:
    """A rich text: its words as one text, then its pictures. It comes in without a level for the language."""
    if "content" not in content:
        content = next((inner for inner in content.values() if isinstance(inner, dict)), {})
    rows = [row for row in _list(content.get("content")) if isinstance(row, list)]
    elements = [[e for e in row if isinstance(e, dict)] for row in rows]
    lines = ["".join(_said(element, names) for element in row) for row in elements]
    text = "\n".join(filter(str.strip, (_words(content, "title"), *lines)))
    if text.strip():
        yield Text(text.strip())
    for element in (e for row in elements for e in row):
        if element.get("tag") == "img":
            yield from _media("image", _words(element, "image_key"), message)
        elif element.get("tag") == "media":
            yield from _media("video", _words(element, "file_key"), message)


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


def _said(element: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The words of one element of a rich text."""
    text = _words(element, "text")
    match element.get("tag"):
        case "a":
            href = _words(element, "href")
            return f"[{text or href}]({href})" if href else text
        case "at":
            who = _words(element, "user_id")
            if who in names:
                return f"@{names[who]}" if names[who] else ""
            return f"@{_words(element, 'user_name') or who}"
        case "emotion":
            return f"[{_words(element, 'emoji_type')}]"
        case "code_block":
            return f"```{_words(element, 'language').lower()}\n{text}\n```"
        case _:
            return text


def _media(kind: Any, key: str, message: str, name: str = "") -> Iterator[Part]:
    """What a resource is fetched by: the message that it belongs to, and its key there."""
    if key:
        yield Media(kind, f"{message}/{key}", name)
    else:
        yield Event(kind)


def _location(content: Mapping[str, Any]) -> Part:
    try:
        return Location(float(content["latitude"]), float(content["longitude"]), _words(content, "name"))
    except (KeyError, TypeError, ValueError):
        return Event("location")
