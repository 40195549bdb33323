"""What `doctor` finds out about a Feishu channel: credentials, bot, permissions, the way in, the clock."""

import secrets
from collections.abc import AsyncIterator

import aiohttp

from channels.feishu.connection import open_endpoint
from channels.feishu.envelope import encrypt
from channels.feishu.openapi import OpenApi
from channels.feishu.settings import Settings
from channels.kit import clinic
from hub.channel import Finding, Site
from hub.errors import ConfigError, DeliveryError

ENABLED = 2
NEEDED = (
    ("im:message:send_as_bot", "im:message", "im:message:send"),
    ("im:message.p2p_msg:readonly", "im:message.p2p_msg", "im:message"),
    ("im:message.group_at_msg:readonly", "im:message.group_at_msg", "im:message.group_msg"),
)
"""Permissions of which one in each line is needed: to send, to hear people, to hear groups."""
GROWING = (("cardkit:card:write",),)
PUBLISH = "grant it under 权限管理, then publish a version (版本管理与发布)"
EVENTS = "im.message.receive_v1 (needed) and im.message.recalled_v1 as events, card.action.trigger as a callback"


async def examine(settings: Settings, site: Site, api: OpenApi) -> AsyncIterator[Finding]:
    """Everything that can be tried from here."""
    yield await clinic.clock(site.http, settings.api_base, site.clock)
    token = await clinic.attempt("app_secret", api.authorise, "Feishu gives a tenant_access_token")
    yield token
    if token.ok:
        yield await _bot(api)
        yield await _permissions(settings, api)
    yield await (_endpoint(settings, site) if settings.transport == "websocket" else _callback(settings, site))
    yield Finding(
        "events", True, f"under 事件与回调 the app must subscribe to {EVENTS}: Feishu does not tell if it does"
    )


async def _bot(api: OpenApi) -> Finding:
    try:
        bot = (await api.call("GET", "/bot/v3/info")).get("bot") or {}
    except DeliveryError as error:
        return Finding("bot", False, f"no answer ({error.code})", getattr(error, "advice", "") or "try again")
    if bot.get("activate_status") != ENABLED:
        return Finding("bot", False, "the app is not enabled in this tenant", "publish a version and have it approved")
    return Finding("bot", True, f"the bot is called {bot.get('app_name', '')}")


async def _permissions(settings: Settings, api: OpenApi) -> Finding:
    try:
        data = (await api.call("GET", "/application/v6/scopes")).get("data") or {}
    except DeliveryError as error:
        return Finding("permissions", True, f"Feishu does not list the app's permissions ({error.code})")
    granted = {scope.get("scope_name") for scope in data.get("scopes", []) if scope.get("grant_status") == 1}
    needed = NEEDED + (GROWING if settings.stream else ())
    missing = [names[0] for names in needed if not granted.intersection(names)]
    if missing:
        return Finding("permissions", False, f"missing: {', '.join(missing)}", PUBLISH)
    return Finding("permissions", True, "all that is needed is granted")


async def _endpoint(settings: Settings, site: Site) -> Finding:
    try:
        await open_endpoint(settings, site.http)
    except ConfigError as error:
        return Finding(
            "transport", False, str(error), "only self-built apps have a long connection: 事件与回调 → 订阅方式"
        )
    except DeliveryError as error:
        return Finding("transport", False, str(error), "check api_base and the network, then try again")
    return Finding("transport", True, "Feishu offers a long connection")


async def _callback(settings: Settings, site: Site) -> Finding:
    """Whether a check of the address, made as Feishu makes it, comes back through `public_url`."""
    url = f"{site.public_url.rstrip('/')}/channels/{site.name}"
    if not site.public_url:
        return Finding(
            "public_url",
            False,
            "not set, so the callback was not tried",
            f"set hub.public_url, and type <public_url>/channels/{site.name} under 事件与回调 as the address",
        )
    word = secrets.token_hex(10)
    try:
        async with site.http.post(
            url, data=_check(settings, word), timeout=clinic.PATIENCE, allow_redirects=False
        ) as response:
            status, said = response.status, await response.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        advice = f"start the hub, and let {site.public_url} lead to it from outside"
        return Finding("public_url", False, f"{url} does not answer ({type(error).__name__})", advice)
    if status == 200 and word in said:
        return Finding("public_url", True, f"{url} answers the check: type it under 事件与回调 as the address")
    if status == 403:
        advice = "a hub with another encrypt_key or verification_token answers there, or a proxy changes the body"
        return Finding("encrypt_key", False, f"{url} refuses a check that is right", advice)
    return Finding("public_url", False, f"{url} answers {status} with something else", "let it lead to this hub")


def _check(settings: Settings, word: str) -> bytes:
    """The check of the address."""
    token = settings.verification_token.value if settings.verification_token else ""
    return encrypt({"challenge": word, "token": token, "type": "url_verification"}, settings.encrypt_key)
