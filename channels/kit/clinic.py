"""What `doctor` finds out in the same way for every platform with a signed callback and an errcode API."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

import aiohttp

from channels.kit.envelope import Envelope
from config import Secret
from hub.channel import Finding
from hub.errors import Blocked, DeliveryError

MOST_SKEW = 60.0
"""Seconds that a clock may be wrong; callbacks are refused that were signed too long ago."""
PATIENCE = aiohttp.ClientTimeout(total=5)


async def attempt(setting: str, call: Callable[[], Awaitable[object]], good: str) -> Finding:
    """Whether a call of the API succeeds, and what to do where it does not."""
    try:
        await call()
    except Blocked as error:
        return Finding(setting, False, str(error), error.advice or "see the platform's console")
    except DeliveryError as error:
        return Finding(setting, False, str(error), "check api_base and the network, then try again")
    return Finding(setting, True, good)


async def clock(http: aiohttp.ClientSession, base: str, now: Callable[[], datetime]) -> Finding:
    """Whether our clock is that of the platform."""
    try:
        async with http.get(base, timeout=PATIENCE, allow_redirects=False) as response:
            said = response.headers.get("Date", "")
        skew = (now() - parsedate_to_datetime(said)).total_seconds()
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError):
        return Finding("clock", True, "the platform did not say what time it is")
    if abs(skew) > MOST_SKEW:
        return Finding("clock", False, f"this clock is {skew:+.0f} s wrong", "switch on time synchronisation (NTP)")
    return Finding("clock", True, "this clock is right")


def sealed_check(token: Secret, key: Secret, receive_id: str, timestamp: str) -> tuple[dict[str, str], str]:
    """The query of a check of the URL as WeCom makes it, and what must come back."""
    nonce, echo = secrets.token_hex(5), secrets.token_hex(10)
    sealed = Envelope(token.value, key.value, receive_id).seal(echo.encode(), timestamp=timestamp, nonce=nonce)
    query = {"msg_signature": sealed.signature, "timestamp": timestamp, "nonce": nonce, "echostr": sealed.encrypted}
    return query, echo


async def callback(
    http: aiohttp.ClientSession, public_url: str, name: str, query: Mapping[str, str], expected: str
) -> Finding:
    """Whether a check of the URL, made as the platform makes it, comes back through `public_url`."""
    if not public_url:
        return Finding(
            "public_url",
            False,
            "not set, so the callback was not tried",
            f"set hub.public_url, and type <public_url>/channels/{name} into the platform's console as the callback",
        )
    url = f"{public_url.rstrip('/')}/channels/{name}"
    try:
        async with http.get(url, params=query, timeout=PATIENCE, allow_redirects=False) as response:
            status, body = response.status, await response.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        advice = f"start the hub, and let {public_url} lead to it from outside"
        return Finding("public_url", False, f"{url} does not answer ({type(error).__name__})", advice)
    if status == 200 and body == expected:
        return Finding("public_url", True, f"{url} answers the platform's check: type it into the console")
    if status == 403:
        advice = "another process with another token or key answers there, or a proxy changes the query"
        return Finding("token", False, f"{url} refuses a signed check", advice)
    return Finding("public_url", False, f"{url} answers {status} with something else", "let it lead to this hub")
