"""A question with buttons, as WeCom shows it. Pure.

https://developer.work.weixin.qq.com/document/path/90236 (template_card, button_interaction)
https://developer.work.weixin.qq.com/document/path/90241 (update_button, the answer to a click)
"""

import hashlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from channels.kit import xml
from hub.fit import plain
from hub.message import Choice, OutboundMessage
from hub.texts import beside, texts

TITLE = 36
LABEL, BUTTONS = 10, 6
TEXT_BYTES = 160 * 3
"""What WeCom shows of a title and a button (characters), how many buttons, and how much text between them."""


def fits(choices: Sequence[Choice]) -> bool:
    """Whether they can be buttons."""
    return len(choices) <= BUTTONS and all(len(choice.label or choice.value) <= LABEL for choice in choices)


def card(message: OutboundMessage) -> Mapping[str, object]:
    """The card; the first line of the text is its title where it is short enough. Pressed twice it is one task."""
    text = plain(xml.clean(message.text)).strip()
    title, _, rest = text.partition("\n")
    if len(title) > TITLE or not rest.strip():
        title, rest = beside(text).pick, text
    name = f"{message.conversation.id}\n{message.turn}\n{message.event}\n{message.text}"
    buttons = [
        {"text": choice.label or choice.value, "style": 2 if number else 1, "key": choice.value}
        for number, choice in enumerate(message.choices)
    ]
    return {
        "card_type": "button_interaction",
        "main_title": {"title": title},
        "sub_title_text": rest.strip(),
        "task_id": hashlib.sha256(name.encode("utf-8", "replace")).hexdigest(),
        "button_list": buttons,
    }


def pressed(to: str, sender: str, *, at: int) -> bytes:
    """The answer to a click: the button says that it was pressed, and can't be pressed again."""
    names = {"ToUserName": to, "FromUserName": sender, "CreateTime": str(at), "MsgType": "update_button"}
    fields = "".join(f"<{name}>{escape(xml.clean(value))}</{name}>" for name, value in names.items())
    return f"<xml>{fields}<Button><ReplaceName>{texts('zh').picked}</ReplaceName></Button></xml>".encode()
