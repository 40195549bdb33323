"""What `doctor` finds out about a DingTalk channel."""

import uuid
from collections.abc import AsyncIterator

from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.settings import Settings
from channels.dingtalk.stream import open_endpoint
from channels.kit import clinic
from hub.channel import Finding, Site
from hub.errors import ConfigError, DeliveryError


async def examine(settings: Settings, site: Site, api: OpenApi) -> AsyncIterator[Finding]:
    """The clock, the credentials, the way in, and the card's template."""
    yield await clinic.clock(site.http, settings.api_base, site.clock)
    yield await clinic.attempt("client_secret", api.token, "DingTalk gives a token for client_id and client_secret")
    if settings.transport == "stream":
        yield await _gateway(settings, site)
    else:
        yield _callback(site)
    if settings.card_template_id:
        yield await clinic.attempt("card_template_id", lambda: _card(settings, api), "DingTalk makes cards from it")


async def _gateway(settings: Settings, site: Site) -> Finding:
    try:
        await open_endpoint(settings, site.http)
    except ConfigError as error:
        advice = "switch the robot's message reception to Stream mode (消息接收模式), and publish the app"
        return Finding("transport", False, f"the stream gateway refuses: {error}", advice)
    except DeliveryError as error:
        advice = "check api_base and the network, then try again"
        return Finding("transport", False, f"the stream gateway does not answer: {error}", advice)
    return Finding("transport", True, "the stream gateway names an endpoint")


def _callback(site: Site) -> Finding:
    """DingTalk has no check of a callback address that could be played here."""
    if not site.public_url:
        advice = f"set hub.public_url, and type <public_url>/channels/{site.name} into the console as 消息接收地址"
        return Finding("public_url", False, "not set, so DingTalk can't be told where to call", advice)
    address = f"{site.public_url.rstrip('/')}/channels/{site.name}"
    return Finding("public_url", True, f"type {address} into the console as 消息接收地址 (HTTP 模式)")


async def _card(settings: Settings, api: OpenApi) -> None:
    """Makes a card that is put nowhere."""
    body = {
        "cardTemplateId": settings.card_template_id,
        "outTrackId": f"examination-{uuid.uuid4().hex}",
        "callbackType": "STREAM",
        "cardData": {"cardParamMap": {settings.card_content_key: ""}},
    }
    await api.call("POST", "/v1.0/card/instances", body)
