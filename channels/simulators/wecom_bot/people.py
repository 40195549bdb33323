"""What a member says to the bot, and the frames around it; the same over both transports."""

import secrets
import time
from typing import Any


def message(msgtype: str, *, user: str = "ming", group: str = "", **part: Any) -> dict[str, Any]:
    """A message as WeCom tells it to the bot; None takes a field out."""
    chat = {"chatid": group, "chattype": "group"} if group else {"chattype": "single"}
    body = {"msgid": secrets.token_hex(16), "aibotid": "AIBOT", **chat, "from": {"userid": user}, "msgtype": msgtype}
    return {name: value for name, value in {**body, **part}.items() if value is not None}


def text(words: str, *, user: str = "ming", group: str = "", **more: Any) -> dict[str, Any]:
    """Words; in a group they begin with the mention of the bot."""
    content = f"@RobotA {words}" if group else words
    return message("text", user=user, group=group, text={"content": content}, **more)


def event(kind: str, *, user: str = "ming", **more: Any) -> dict[str, Any]:
    """Something that happened; it has no chattype."""
    return message("event", user=user, event={"eventtype": kind, **more}, chattype=None, create_time=int(time.time()))
