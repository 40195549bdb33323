"""The callback that the WeChat family shares: a bounded body, a signed query, the check of the URL, fields out of XML.

Nothing is decrypted before its signature holds, and nothing but the decrypted half of a body counts: what stands
beside it (compatible mode) may come from anybody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from aiohttp import web

from channels.kit import xml
from channels.kit.envelope import Envelope, fresh, only
from hub.errors import NotProven, TooLarge, Unreadable

SECONDS = 10.0
"""How long a body may take: a platform sends it at once, whoever wants to hold a connection does not."""


async def body(request: web.Request, *, most: int) -> bytes:
    """The body, of at most so many bytes; a longer one is not read, nor one that takes longer than SECONDS.

    Raises TooLarge, and Unreadable where it breaks off.
    """
    if (request.content_length or 0) > most:
        raise TooLarge(f"the body has more than {most} bytes")
    read = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.content.iter_any():
                read += chunk
                if len(read) > most:
                    raise TooLarge(f"the body has more than {most} bytes")
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        raise Unreadable("the body breaks off") from None
    return bytes(read)


def plain(text: bytes) -> web.Response:
    """Text exactly as it is, which no browser takes for a page."""
    return web.Response(body=text, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted callback: WeCom's applications and customer service, and the safe mode of an Official Account.

    https://developer.work.weixin.qq.com/document/path/90238
    """

    envelope: Envelope
    clock: Callable[[], datetime]
    max_age: int
    most_bytes: int

    def echo(self, request: web.Request) -> web.Response:
        """The check of the URL: the decrypted echostr and nothing else. Raises Refusal."""
        # A "+" that somebody on the way did not encode arrives as a space; base64 has none.
        encrypted = only(request, "echostr").replace(" ", "+")
        return plain(self.open(request, encrypted))

    async def fields(self, request: web.Request) -> dict[str, str]:
        """The fields of the message inside. Raises Refusal."""
        outside = xml.read(await body(request, most=self.most_bytes))
        return xml.read(self.open(request, outside.get("Encrypt", "")))

    def open(self, request: web.Request, encrypted: str) -> bytes:
        """The message inside a ciphertext that this request signed. Raises Refusal."""
        if not encrypted:
            raise NotProven("nothing in it is encrypted")
        timestamp, nonce = only(request, "timestamp"), only(request, "nonce")
        self.envelope.verify(encrypted, signature=only(request, "msg_signature"), timestamp=timestamp, nonce=nonce)
        fresh(timestamp, now=self.clock(), max_age=self.max_age)
        return self.envelope.decrypt(encrypted)
