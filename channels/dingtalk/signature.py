"""Proves that a callback comes from DingTalk.

The signature covers the time and nothing of the body (https://open.dingtalk.com/document/isvapp/receive-message), so
its freshness is all that stands against a replay; a replayed message has a known key and changes nothing.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from hub.errors import NotProven


def sign(timestamp: str, secret: str) -> str:
    """The `sign` header for a `timestamp` header."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def verify(headers: Mapping[str, str], secret: str, *, now: datetime, max_age: int) -> None:
    """Raises NotProven unless the headers are signed with the secret and younger than max_age seconds (0 = any age)."""
    timestamp, given = headers.get("timestamp", ""), headers.get("sign", "")
    if not hmac.compare_digest(sign(timestamp, secret).encode(), given.encode("utf-8", "surrogateescape")):
        raise NotProven("the signature is wrong or missing")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise NotProven("the timestamp is no number")
    if max_age and abs(now.timestamp() - int(timestamp) / 1000) > max_age:
        raise NotProven(f"signed more than {max_age} s ago, or ahead of our clock")
