"""Frames of the long connection, by lark-oapi's protobuf classes.

Of lark-oapi only these are used. Its own client (1.7.5) can't be made to fit: it takes whatever event loop it finds
when it is imported and has no end but that of the process; it asks for an endpoint with blocking `requests` and no
time-out; its handlers are synchronous, so that one that waits for the disk stops pings and acknowledgements of all
others; clicks on cards are never acknowledged, and an event without a handler is answered with 500, which makes
Feishu repeat it for seven hours. So the connection is ours (connection.py), and the wire format is theirs.

`import lark_oapi` brings 11,000 modules along: 8 seconds and 170 MB where the frames alone need a quarter of a second
and 8 MB. So they are loaded by themselves: the two packages around them stand in as empty ones while that happens and
are gone afterwards, so that an import of the whole of lark-oapi, before or after, is what it always was.
"""

import base64
import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

from hub.errors import ConfigError, Unreadable

CONTROL, DATA = 0, 1
MOST_PIECES = 64
MOST_BROKEN = 64
"""Messages in pieces that may be incomplete at a time; the oldest is given up (and delivered again)."""


@dataclass(frozen=True, slots=True)
class Wire:
    """lark-oapi's class of a frame, and what it raises for bytes that are none."""

    frame: Any
    error: type[Exception]


@lru_cache(maxsize=1)
def wire() -> Wire:
    """Takes a quarter of a second at first: call it in a thread. Raises ConfigError."""
    around = ("lark_oapi", "lark_oapi.ws")
    if any(name in sys.modules for name in around):
        return _wire()
    spec = importlib.util.find_spec("lark_oapi")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError('transport = "websocket" needs the package lark-oapi')
    (root,) = spec.submodule_search_locations
    try:
        for name, path in zip(around, (root, f"{root}/ws"), strict=True):
            sys.modules[name] = ModuleType(name)
            sys.modules[name].__path__ = [path]
        return _wire()
    finally:
        for name in around:
            sys.modules.pop(name, None)


def _wire() -> Wire:
    frame = importlib.import_module("lark_oapi.ws.pb.pbbp2_pb2").Frame
    return Wire(frame, importlib.import_module("lark_oapi.ws.pb.google.protobuf.message").DecodeError)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. Control frames are pings and pongs, data frames carry an event or a piece of one."""

    raw: Any

    @property
    def control(self) -> bool:
        """Whether it is no event."""
        return bool(self.raw.method == CONTROL)

    @property
    def payload(self) -> bytes:
        """The bytes in it."""
        return bytes(self.raw.payload)

    def header(self, name: str) -> str:
        """The value of a header, "" where it is missing."""
        return next((str(h.value) for h in self.raw.headers if h.key == name), "")

    def number(self, name: str) -> int:
        """The value of a header that is a number. Raises Unreadable."""
        value = self.header(name)
        if not (value.isascii() and value.isdigit()) or len(value) > 9:
            raise Unreadable(f"the header {name} is no number")
        return int(value)


def read(data: bytes) -> Frame:
    """The frame in these bytes. Raises Unreadable."""
    raw = wire().frame()
    try:
        raw.ParseFromString(data)
    except (wire().error, ValueError) as error:
        raise Unreadable(f"not a frame ({type(error).__name__})") from None
    if not raw.IsInitialized() or raw.method not in (CONTROL, DATA):
        raise Unreadable("a frame without its fields, or of an unknown method")
    return Frame(raw)


def write(method: int, service: int, headers: Mapping[str, str], payload: bytes = b"") -> bytes:
    """A frame of our own."""
    raw = wire().frame()
    raw.SeqID = raw.LogID = 0
    raw.service, raw.method, raw.payload = service, method, payload
    for key, value in headers.items():
        _add(raw, key, value)
    encoded: bytes = raw.SerializeToString()
    return encoded


def ping(service: int) -> bytes:
    """The sign of life that Feishu asks for."""
    return write(CONTROL, service, {"type": "ping"})


def acknowledge(frame: Frame, code: int, *, milliseconds: int, answer: object = None) -> bytes:
    """The same frame again, with a code and what the person is to see (after a click)."""
    raw = wire().frame()
    raw.CopyFrom(frame.raw)
    _add(raw, "biz_rt", str(milliseconds))
    said: dict[str, object] = {"code": code}
    if answer:
        said["data"] = base64.b64encode(json.dumps(answer, ensure_ascii=False).encode()).decode()
    raw.payload = json.dumps(said).encode()
    encoded: bytes = raw.SerializeToString()
    return encoded


def _add(raw: Any, key: str, value: str) -> None:
    header = raw.headers.add()
    header.key, header.value = key, value


class Pieces:
    """Puts events together that come in several frames."""

    def __init__(self) -> None:
        self._broken: dict[str, dict[int, bytes]] = {}

    def whole(self, frame: Frame) -> bytes | None:
        """The payload when the last piece of it is here, None before. Raises Unreadable."""
        count, place = (frame.number(name) if frame.header(name) else given for name, given in (("sum", 1), ("seq", 0)))
        if count <= 1:
            return frame.payload
        if count > MOST_PIECES or place >= count:
            raise Unreadable("a piece that is none")
        name = frame.header("message_id")
        pieces = self._broken.setdefault(name, {})
        pieces[place] = frame.payload
        if len(pieces) == count:
            del self._broken[name]
            return b"".join(pieces[number] for number in range(count))
        if len(self._broken) > MOST_BROKEN:
            del self._broken[next(iter(self._broken))]
        return None
