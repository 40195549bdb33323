"""The XML that WeChat and WeCom speak: one flat element of fields, read strictly, and the passive reply, always valid.

wechatpy renders the reply. It puts text into CDATA as it is, so that "]]>" or a control character in an answer breaks
the document (the person then reads that the account is out of order); `clean` and `_cdata` see to that beforehand.
Its reader (xmltodict) strips what people wrote and takes document types, so reading is done here.
"""

import re
from collections.abc import Mapping
from xml.parsers import expat

from wechatpy.replies import TextReply

from channels.kit.envelope import Sealed
from channels.kit.harmless import untagged
from hub.errors import Unreadable

FOREIGN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What may stand neither in XML 1.0 (https://www.w3.org/TR/xml/#charsets) nor, as a lone surrogate, in UTF-8."""


def read(document: bytes) -> dict[str, str]:
    """The fields of <xml>, their white space kept; of a field with fields inside only its own text.

    The first of two fields with the same name counts. Document types, and with them entities, are refused as soon
    as they begin. Raises Unreadable.
    """
    fields = _Fields()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = fields.start
    parser.EndElementHandler = fields.end
    parser.CharacterDataHandler = fields.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(document.decode("utf-8"), True)
    except (expat.ExpatError, UnicodeDecodeError):
        raise Unreadable("the body is no XML in UTF-8") from None
    return fields.found


class _Fields:
    """What expat tells of a document, kept flat however deep it is."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._depth = 0
        self._words: list[str] = []

    def start(self, name: str, attributes: object) -> None:
        self._depth += 1
        if self._depth == 2:
            self._words.clear()

    def text(self, words: str) -> None:
        if self._depth == 2:
            self._words.append(words)

    def end(self, name: str) -> None:
        if self._depth == 2:
            self.found.setdefault(name, "".join(self._words))
        self._depth -= 1


def _refuse(*declaration: object) -> None:
    raise Unreadable("the body has a document type")


def clean(text: str) -> str:
    """The text without characters that can't be sent: control characters and halves of surrogate pairs."""
    return FOREIGN.sub("", text)


def _cdata(text: str) -> str:
    """The text as it may stand inside CDATA: its end mark is shared out between two sections."""
    return clean(text).replace("]]>", "]]]]><![CDATA[>")


def reply(text: str, *, to: str, sender: str, at: int) -> bytes:
    """A passive text reply, in which no tag makes a link: https://developers.weixin.qq.com/doc/offiaccount/"""
    words = _cdata(untagged(clean(text)))
    whole = TextReply(source=_cdata(sender), target=_cdata(to), content=words, time=at).render()
    return str(whole).encode()


def sealed(envelope: Sealed) -> bytes:
    """A reply in its envelope, as safe mode wants it."""
    return (
        f"<xml><Encrypt><![CDATA[{envelope.encrypted}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{envelope.signature}]]></MsgSignature>"
        f"<TimeStamp>{envelope.timestamp}</TimeStamp>"
        f"<Nonce><![CDATA[{_cdata(envelope.nonce)}]]></Nonce></xml>"
    ).encode()


def fields(values: Mapping[str, str]) -> bytes:
    """A message of the platform: every field as CDATA. What the simulators push."""
    inner = "".join(f"<{name}><![CDATA[{_cdata(value)}]]></{name}>" for name, value in values.items())
    return f"<xml>{inner}</xml>".encode()
