"""The signed and encrypted envelope of WeChat, WeCom, customer service, the AI bot, and of DingTalk's event callbacks.

One for all; they differ in the receive id alone (app id, corp id, "" for the AI bot, DingTalk's owner key):

    msg_signature = sha1(sort(token, timestamp, nonce, encrypted))
    encrypted     = base64(AES-256-CBC(16 random bytes + length of the message + message + receive id))

with the length as 4 bytes big-endian, PKCS7 to blocks of 32, and the first half of the key as initialisation vector
(https://developer.work.weixin.qq.com/document/path/101033). Whatever does not hold is a Refusal.

wechatpy has the cipher and seals. It opens too trustingly (a well-signed but malformed ciphertext raises IndexError,
struct.error and the like; padding and length go unchecked) and compares signatures with `==`, so the checks are here.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import AfterValidator
from wechatpy.crypto import PrpCrypto

from config import Secret, fault
from hub.errors import NotProven, Unreadable

KEY = re.compile(r"[A-Za-z0-9+/]{43}")
BLOCK, RANDOM, LENGTH = 32, 16, 4


def _complete(key: Secret) -> Secret:
    if not KEY.fullmatch(key.value):
        raise fault(
            f"has {len(key.value)} characters, or others than letters and digits; "
            "it is the 43 that the platform shows as EncodingAESKey"
        )
    return key


AesKey = Annotated[Secret, AfterValidator(_complete)]
"""A secret with the form of an EncodingAESKey."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message in its envelope, ready to be written as the platform wants it (XML here, JSON there)."""

    encrypted: str
    signature: str
    timestamp: str
    nonce: str


class Envelope:
    """Opens what a platform sealed with (token, key), and seals what goes back. `receive_id` is who it is for."""

    def __init__(self, token: str, key: str, receive_id: str) -> None:
        if not token or not KEY.fullmatch(key):
            raise ValueError("an envelope needs a token and a key of 43 characters")
        self._token = token
        self._receive_id = receive_id
        self._crypto = PrpCrypto(base64.b64decode(key + "="))

    def verify(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> None:
        """Raises NotProven unless the signature is right. All values are as they were received."""
        prove(signature, self._token, timestamp, nonce, encrypted)

    def decrypt(self, encrypted: str) -> bytes:
        """The message inside. Raises Unreadable, and NotProven when it is meant for somebody else.

        Call `verify` first: a signature must hold before anything is decrypted.
        """
        raw = self._padded(encrypted)
        padding = raw[-1]
        if not 1 <= padding <= BLOCK or raw[-padding:] != raw[-1:] * padding:
            raise Unreadable("the padding of the ciphertext is wrong")
        body = raw[RANDOM:-padding]
        if len(body) < LENGTH:
            raise Unreadable("the ciphertext is too short")
        (length,) = struct.unpack(">I", body[:LENGTH])
        message, receive_id = body[LENGTH : LENGTH + length], body[LENGTH + length :]
        if len(message) != length:
            raise Unreadable("the ciphertext is cut off")
        if not hmac.compare_digest(receive_id, self._receive_id.encode()):
            raise NotProven("the message is sealed for another receiver")
        return message

    def _padded(self, encrypted: str) -> bytes:
        try:
            sealed = base64.b64decode(encrypted.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise Unreadable("the ciphertext is not base64") from None
        if not sealed or len(sealed) % RANDOM:
            raise Unreadable("the ciphertext does not consist of blocks")
        raw: bytes = self._crypto.cipher.decrypt(sealed)
        return raw

    def open(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> bytes:
        """Verifies, then decrypts."""
        self.verify(encrypted, signature=signature, timestamp=timestamp, nonce=nonce)
        return self.decrypt(encrypted)

    def encrypt(self, message: bytes) -> str:
        """The ciphertext of a message."""
        encrypted: bytes = self._crypto.encrypt(message, self._receive_id)
        return encrypted.decode()

    def seal(self, message: bytes, *, timestamp: str, nonce: str) -> Sealed:
        """Encrypts and signs."""
        encrypted = self.encrypt(message)
        return Sealed(encrypted, sign(self._token, timestamp, nonce, encrypted), timestamp, nonce)


def sign(*values: str) -> str:
    """The signature of all platforms of this family: SHA-1 over the sorted values."""
    joined = b"".join(sorted(value.encode("utf-8", "surrogatepass") for value in values))
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def prove(signature: str, *values: str) -> None:
    """Raises NotProven unless `signature` is that of the values; the time that it takes says nothing."""
    if not hmac.compare_digest(sign(*values).encode(), signature.encode("utf-8", "surrogatepass")):
        raise NotProven("the signature is wrong: token, key or receiver differ, or it does not come from the platform")


def fresh(timestamp: str, *, now: datetime, max_age: int) -> None:
    """Raises NotProven for something signed more than `max_age` seconds ago or ahead; 0 = any age."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise NotProven("there is no timestamp")
    if max_age and abs(now.timestamp() - int(timestamp)) > max_age:
        raise NotProven("it was signed too long ago, or a clock is wrong")


def only(request: web.Request, name: str) -> str:
    """The one value of a query parameter; "" where it is missing or stands there twice (which of them was signed?)."""
    values = request.query.getall(name, [])
    return values[0] if len(values) == 1 else ""
