"""A reply as DingTalk shows it. Pure.

DingTalk's Markdown swallows a single line break and shows a table only after an empty line:
https://open.dingtalk.com/document/orgapp/robot-message-type
"""

import json
import re

from channels.kit import harmless, xml

TITLE_LENGTH = 30
"""Characters of a title, which is all that a notification and the list of conversations show."""
BLOCK = re.compile(r"^\s*(?:[-*+>#|]|\d+[.)]\s|```|~~~|$)")
"""A line that begins a block of its own and needs no help to stand on a line of its own."""
MARKS = re.compile(r"[#*`<>|~\[\]_!]+|\([^()\s]*\)")


def markdown(text: str) -> str:
    """Text whose line breaks and tables survive, and in which nothing acts by itself."""
    lines: list[str] = []
    fenced = False
    for line in harmless.markdown(xml.clean(text)).split("\n"):
        previous = lines[-1] if lines else ""
        fence = line.lstrip().startswith(("```", "~~~"))
        if not fenced and previous.strip() and not fence:
            lines[-1:] = _joint(previous, line)
        lines.append(line)
        fenced ^= fence
    return "\n".join(lines)


def _joint(previous: str, line: str) -> list[str]:
    """The previous line, so that what follows begins on a line of its own."""
    if line.lstrip().startswith("|"):
        return [previous] if previous.lstrip().startswith("|") else [previous, ""]
    return [previous] if BLOCK.match(line) or BLOCK.match(previous) else [f"{previous}  "]


def title(text: str) -> str:
    """The first words of a text, without Markdown."""
    for line in text.split("\n"):
        if words := " ".join(MARKS.sub(" ", line).split()):
            return words[:TITLE_LENGTH]
    return "…"


def by_session(text: str) -> dict[str, object]:
    """The body for a session webhook."""
    return {"msgtype": "markdown", "markdown": {"title": title(text), "text": markdown(text)}}


def by_robot(text: str, robot: str) -> dict[str, object]:
    """The body for the robot API, without its receiver."""
    words = json.dumps({"title": title(text), "text": markdown(text)}, ensure_ascii=False)
    return {"robotCode": robot, "msgKey": "sampleMarkdown", "msgParam": words}
