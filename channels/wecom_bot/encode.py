"""What the AI bot answers with. Pure. https://developer.work.weixin.qq.com/document/path/101031"""

import json
from collections.abc import Mapping

from channels.kit import harmless, xml
from channels.kit.envelope import Envelope

Body = Mapping[str, object]


def stream(name: str, content: str, *, finish: bool) -> Body:
    """A state of a stream: its whole text so far."""
    return {"msgtype": "stream", "stream": {"id": name, "finish": finish, "content": _tame(content)}}


def text(words: str) -> Body:
    """Plain words; WeCom takes them as a welcome only."""
    return {"msgtype": "text", "text": {"content": words}}


def markdown(content: str) -> Body:
    """A message of its own."""
    return {"msgtype": "markdown", "markdown": {"content": _tame(content)}}


def _tame(content: str) -> str:
    return harmless.markdown(xml.clean(content))


def seal(body: Body, envelope: Envelope, *, now: int, nonce: str) -> bytes:
    """The encrypted answer. The names have no underscore, the time is a number, the nonce is that of the call."""
    sealed = envelope.seal(
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"), timestamp=str(now), nonce=nonce
    )
    outside = {"encrypt": sealed.encrypted, "msgsignature": sealed.signature, "timestamp": now, "nonce": nonce}
    return json.dumps(outside).encode()
