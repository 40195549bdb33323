"""What can be found out about an account without a person who writes to it."""

import secrets
from collections.abc import AsyncIterator

from channels.kit import clinic
from channels.kit.envelope import sign
from channels.wechat_oa.openapi import PUSH_REFUSED, OpenApi
from channels.wechat_oa.settings import Settings
from hub.channel import Finding, Site
from hub.errors import DeliveryError

NOBODY = "o" + "0" * 27
"""An openid that nobody has."""


async def examine(settings: Settings, site: Site, api: OpenApi) -> AsyncIterator[Finding]:
    """The credentials, the right to push, the clock, and the callback."""
    found = await clinic.attempt("app_id, app_secret", api.token, "WeChat gives a token for them")
    yield found
    if found.ok and settings.push:
        yield await _pushes(api)
    yield await clinic.clock(site.http, settings.api_base, site.clock)
    yield _mode(settings)
    query, echo = _check(settings, str(int(site.clock().timestamp())))
    yield await clinic.callback(site.http, site.public_url, site.name, query, echo)


async def _pushes(api: OpenApi) -> Finding:
    """Asks for a typing sign for nobody: 48001 says that the API is closed, any other code that it is open."""
    try:
        await api.typing(NOBODY)
    except DeliveryError as error:
        if error.code == "48001":
            return Finding("push", False, str(error), PUSH_REFUSED)
    return Finding("push", True, "the customer-service API is open to the account")


def _mode(settings: Settings) -> Finding:
    if settings.encoding_aes_key:
        return Finding("encoding_aes_key", True, "set: choose 安全模式 (or 兼容模式) in the console")
    return Finding("encoding_aes_key", True, "left out: choose 明文模式 in the console; bodies are not encrypted")


def _check(settings: Settings, timestamp: str) -> tuple[dict[str, str], str]:
    """A check of the URL as WeChat makes it, and what must come back."""
    nonce, echo = secrets.token_hex(5), secrets.token_hex(10)
    signature = sign(settings.token.value, timestamp, nonce)
    return {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}, echo
