"""Markdown and plain text, in whatever encoding people saved it."""

import re

from agent.knowledge.document import Part, Reading
from agent.knowledge.readers import NotRead

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
NAMED = re.compile(r"^(title|url):[ \t]*(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\n]*))", re.MULTILINE)
COMMENT = re.compile(r"<!--(?:.*?-->|(?P<open>.*)\Z)", re.DOTALL)
"""An end that is not there is looked for once, and not again at each beginning."""
BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"))
OTHERS = ("gb18030", "big5", "utf-16-le", "utf-16-be")
"""Tried by how much Chinese comes out."""
COMMON = frozenset("的一是不了在有人我他这来到时大地为子中你说生国年着就那和要她出也得里后自以会，。、：；！？（）「」")


def read(data: bytes, suffix: str) -> Reading:
    """Front matter names the title and the page's address, and is not shown, no more than comments are."""
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    if suffix == ".txt":
        return Reading("", (Part(text, form="plain"),))
    named: dict[str, str] = {}
    if front := FRONT_MATTER.match(text):
        named = {name: (a or b or c).strip() for name, a, b, c in NAMED.findall(front[1])}
        text = text[front.end() :]
    return Reading(
        named.get("title", ""),
        (Part(COMMENT.sub(lambda found: found[0] if found["open"] is not None else "", text)),),
        named.get("url", ""),
    )


def decode(data: bytes) -> str:
    """The text of these bytes. Raises NotRead where they are none."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _checked(data[len(mark) :] if encoding == "utf-8" else data, encoding)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _checked(data, "utf-16")
    if data[:4096].count(0) > len(data[:4096]) // 4:
        return _checked(data, "utf-16-le" if data[1:4096:2].count(0) >= data[:4096:2].count(0) else "utf-16-be")
    try:
        return _checked(data, "utf-8")
    except NotRead:
        return _checked(data, max(OTHERS, key=lambda name: _likeness(data[:65536], name)))


def _checked(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise NotRead("its encoding is not known") from None
    if sum(c < " " and c not in "\t\n\r\f" for c in text[:4096]) > 40:
        raise NotRead("this is no text")
    return text


def _likeness(data: bytes, encoding: str) -> float:
    """How much the bytes look like Chinese in this encoding: the share of its most common characters."""
    text = data.decode(encoding, "replace")
    wide = [c for c in text if c > "\x7f"]
    return sum((c in COMMON) - 5 * (c == "\ufffd") for c in wide) / max(len(wide), 1)
