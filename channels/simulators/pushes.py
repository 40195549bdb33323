"""How WeChat and WeCom push to a callback: signed, sealed where there is a key, cut off after 5 seconds, three tries.

An Account is the platform's view of one channel of the hub. What stands here is the platform's side of the protocol,
written apart from channels/kit where it matters: replies are read with a parser of their own and are held to what
the platform's page says, so that both sides can't share an error.
"""

import asyncio
import os
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from channels.kit import xml
from channels.kit.envelope import Envelope, sign


class Broken(Exception):
    """What the hub answered is not what the platform can read: the person sees that the account is out of order."""


@dataclass(frozen=True, slots=True)
class Try:
    """One call of the callback; status 0 where it was cut off or the connection broke."""

    status: int
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Pushed:
    """All tries of one message. `text` is what the person reads ("" = nothing), `which` the try that brought it."""

    tries: tuple[Try, ...]
    text: str = ""
    which: int = 0

    @property
    def statuses(self) -> list[int]:
        """The status of each try."""
        return [each.status for each in self.tries]


@dataclass(frozen=True, slots=True)
class Account:
    """One channel as the platform knows it. `weak`: an Official Account, whose query has `signature` as well."""

    url: str
    token: str
    key: str = ""
    receive_id: str = ""
    weak: bool = False
    cut: float = 5.0
    tries: int = 3
    clock: Callable[[], float] = field(default=time.time)

    @property
    def envelope(self) -> Envelope:
        """The envelope of this account."""
        return Envelope(self.token, self.key, self.receive_id)

    def query(self, encrypted: str = "", *, at: int | None = None) -> dict[str, str]:
        """The signed query of one call; msg_signature covers `encrypted`."""
        timestamp, nonce = str(int(self.clock()) if at is None else at), os.urandom(5).hex()
        query = {"timestamp": timestamp, "nonce": nonce}
        if self.weak:
            query["signature"] = sign(self.token, timestamp, nonce)
        if encrypted and self.weak:
            query["encrypt_type"] = "aes"
        if encrypted:
            query["msg_signature"] = sign(self.token, timestamp, nonce, encrypted)
        return query

    def signed(self, body: bytes, *, at: int | None = None) -> tuple[dict[str, str], bytes]:
        """Query and body of one try, sealed afresh where there is a key."""
        if not self.key:
            return self.query(at=at), body
        encrypted = self.envelope.encrypt(body)
        return self.query(encrypted, at=at), xml.fields({"ToUserName": self.receive_id, "Encrypt": encrypted})

    def check(self, words: str) -> dict[str, str]:
        """The query of a check of the URL, which is to be answered with the words."""
        if self.weak:
            return {**self.query(), "echostr": words}
        encrypted = self.envelope.encrypt(words.encode())
        return {**self.query(encrypted), "echostr": encrypted}

    def read(self, body: bytes, user: str) -> str:
        """What the person reads of an answer; "" for a silent acknowledgement. Raises Broken."""
        if body.strip() in (b"", b"success"):
            return ""
        fields = _fields(body)
        if self.key:
            fields = _fields(self._opened(fields))
        if fields.get("ToUserName") != user or not fields.get("FromUserName") or not fields.get("CreateTime"):
            raise Broken("the answer does not go from the account to the person")
        content = fields.get("Content", "")
        if fields.get("MsgType") == "update_button":
            return ""
        if fields.get("MsgType") != "text" or not 0 < len(content.encode()) <= 2048:
            raise Broken("the answer is no text of at most 2048 bytes")
        return content

    def _opened(self, fields: Mapping[str, str]) -> bytes:
        try:
            names = ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
            encrypted, signature, timestamp, nonce = (fields[name] for name in names)
            return self.envelope.open(encrypted, signature=signature, timestamp=timestamp, nonce=nonce)
        except Exception as error:
            raise Broken(f"the answer is not sealed as it must be: {error!r}") from error


def _fields(body: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 — what the hub under test answers
    except ElementTree.ParseError as error:
        raise Broken(f"the answer is no XML: {error}") from error
    return {child.tag: child.text or "" for child in root}


async def post(http: aiohttp.ClientSession, account: Account, query: Mapping[str, str], body: bytes) -> Try:
    """One POST, cut off after `account.cut` seconds whatever the hub is doing."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with (
            asyncio.timeout(account.cut),
            http.post(account.url, params=query, data=body, headers={"Content-Type": "text/xml"}) as response,
        ):
            return Try(response.status, await response.read(), loop.time() - began)
    except (TimeoutError, aiohttp.ClientError):
        return Try(0, b"", loop.time() - began)


async def push(http: aiohttp.ClientSession, account: Account, body: bytes, user: str) -> Pushed:
    """One message as the platform brings it: again after every try that was cut off or not answered with 200.

    Raises Broken where the person would read that the account is out of order.
    """
    tries: list[Try] = []
    for number in range(1, account.tries + 1):
        tries.append(await post(http, account, *account.signed(body)))
        if tries[-1].status == 200:
            text = account.read(tries[-1].body, user)
            return Pushed(tuple(tries), text, number if text else 0)
    return Pushed(tuple(tries))
