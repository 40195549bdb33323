"""Proves that a callback comes from Feishu, and opens it. Pure.

With an Encrypt Key the body is {"encrypt": …} (AES-256-CBC, key = SHA-256 of the Encrypt Key, IV = the first block)
and X-Lark-Signature = sha256(timestamp + nonce + key + raw body); without one the body is plain, nothing is signed and
the verification token inside is all there is, so that it has to be read before it is proven.
https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case

The check of the address (url_verification) may come unsigned. It is answered when it is encrypted with our key and
holds our token, and it can do nothing; everything else that is unsigned is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from channels.feishu.settings import Settings
from channels.kit.envelope import fresh
from config import Secret
from hub.errors import NotProven, Unreadable

BLOCK = 16


def open_body(raw: bytes, headers: Mapping[str, str], settings: Settings, *, now: datetime) -> Mapping[str, Any]:
    """The proven content of a callback. Raises NotProven and Unreadable."""
    if settings.encrypt_key is None:
        return _held_to_token(parse(raw), settings)
    key = settings.encrypt_key.value
    if "X-Lark-Signature" not in headers:
        return _check_of_address(raw, key, settings)
    timestamp, nonce = headers.get("X-Lark-Request-Timestamp", ""), headers.get("X-Lark-Request-Nonce", "")
    _same(sign(timestamp, nonce, key, raw), headers["X-Lark-Signature"], "the signature is wrong")
    fresh(timestamp, now=now, max_age=settings.max_age)
    return _held_to_token(parse(decrypt(_sealed(parse(raw)), key)), settings)


def sign(timestamp: str, nonce: str, key: str, raw: bytes) -> str:
    """The signature over a body as it travels."""
    return hashlib.sha256((timestamp + nonce + key).encode("utf-8", "surrogateescape") + raw).hexdigest()


def decrypt(sealed: str, key: str) -> bytes:
    """What was encrypted. Raises Unreadable."""
    try:
        data = base64.b64decode(sealed.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Unreadable("the ciphertext is not base64") from None
    if len(data) < 2 * BLOCK or len(data) % BLOCK:
        raise Unreadable("the ciphertext does not consist of blocks")
    cipher = Cipher(algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(data[:BLOCK])).decryptor()
    padded = cipher.update(data[BLOCK:]) + cipher.finalize()
    padding = padded[-1]
    if not 1 <= padding <= BLOCK or padded[-padding:] != padded[-1:] * padding:
        raise Unreadable("the padding of the ciphertext is wrong")
    return padded[:-padding]


def encrypt(body: Mapping[str, Any], key: Secret | None) -> bytes:
    """A body as Feishu writes it, for trying the callback of a hub."""
    plain = json.dumps(body).encode()
    if key is None:
        return plain
    padding, first = BLOCK - len(plain) % BLOCK, os.urandom(BLOCK)
    cipher = Cipher(algorithms.AES(hashlib.sha256(key.value.encode()).digest()), modes.CBC(first)).encryptor()
    sealed = first + cipher.update(plain + bytes([padding]) * padding) + cipher.finalize()
    return json.dumps({"encrypt": base64.b64encode(sealed).decode()}).encode()


def parse(raw: bytes) -> Mapping[str, Any]:
    """The JSON object in a body. Raises Unreadable."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("the body is no JSON") from None
    if not isinstance(body, dict):
        raise Unreadable("the body is no JSON object")
    return body


def _check_of_address(raw: bytes, key: str, settings: Settings) -> Mapping[str, Any]:
    try:
        body = _held_to_token(parse(decrypt(_sealed(parse(raw)), key)), settings)
    except Unreadable:
        raise NotProven("the body is neither signed nor encrypted with our key") from None
    if body.get("type") != "url_verification":
        raise NotProven("the signature is missing")
    return body


def _sealed(body: Mapping[str, Any]) -> str:
    sealed = body.get("encrypt")
    if not isinstance(sealed, str):
        raise Unreadable("the body is not encrypted")
    return sealed


def _held_to_token(body: Mapping[str, Any], settings: Settings) -> Mapping[str, Any]:
    """The body, when the verification token in it is ours (no token is configured: whatever it is)."""
    if settings.verification_token is None:
        return body
    header = body.get("header")
    token = header.get("token") if isinstance(header, dict) else body.get("token")
    _same(settings.verification_token.value, token if isinstance(token, str) else "", "the verification token is wrong")
    return body


def _same(ours: str, theirs: str, otherwise: str) -> None:
    if not hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "surrogatepass")):
        raise NotProven(otherwise)
