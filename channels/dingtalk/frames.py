"""Frames of the stream connection, by the classes of dingtalk-stream. Pure.

https://opensource.dingtalk.com/developerpedia/docs/learn/stream/protocol
"""

import json
from typing import TypeAlias

from dingtalk_stream import AckMessage, CallbackMessage, ChatbotMessage, EventMessage, SystemMessage
from dingtalk_stream.frames import Headers

from hub.errors import Unreadable

Frame: TypeAlias = CallbackMessage | EventMessage | SystemMessage

TOPIC: str = ChatbotMessage.TOPIC
PRESSED = "/v1.0/card/instances/callback"
"""dingtalk_stream.Card_Callback_Router_Topic"""
SUBSCRIPTIONS = [{"type": "EVENT", "topic": "*"}, *({"type": "CALLBACK", "topic": name} for name in (TOPIC, PRESSED))]
READ = ("messageId", "topic")
KINDS = {kind.TYPE: kind for kind in (CallbackMessage, EventMessage, SystemMessage)}


def read(raw: str) -> tuple[Frame, str]:
    """The frame, and its `data` as it came. Raises Unreadable only where there is nothing that could be acknowledged.

    The SDK would parse data and the times among the headers here, and let one odd value hide the messageId.
    """
    try:
        given = json.loads(raw)
        kind = KINDS[given["type"]]
        headers = {name: given["headers"][name] for name in READ if name in given["headers"]}
        return kind.from_dict({"type": given["type"], "headers": headers}), given.get("data") or ""
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Unreadable(f"not a frame ({type(error).__name__})") from None


def content(data: object) -> object:
    """What stands in `data`. Raises Unreadable."""
    try:
        return json.loads(data) if isinstance(data, str) else data
    except (ValueError, RecursionError):
        raise Unreadable("data is no JSON") from None


def acknowledge(frame: Frame, data: object, code: int = AckMessage.STATUS_OK) -> str:
    """The answer to a frame: its messageId, a code, and data as a JSON string."""
    ack = AckMessage()
    ack.code = code
    ack.message = "OK" if code == AckMessage.STATUS_OK else "not taken"
    ack.headers.message_id = frame.headers.message_id
    ack.headers.content_type = Headers.CONTENT_TYPE_APPLICATION_JSON
    ack.data = data
    return json.dumps(ack.to_dict(), ensure_ascii=False)
