"""What can be found out about customer service without a customer who writes to it."""

from collections.abc import AsyncIterator

from channels.kit import clinic
from channels.wechat_kf.openapi import OpenApi
from channels.wechat_kf.settings import Settings
from hub.channel import Finding, Site


async def examine(settings: Settings, site: Site, api: OpenApi) -> AsyncIterator[Finding]:
    """The credentials, the right to the desks, the clock, and the callback."""
    found = await clinic.attempt("corp_id, secret", api.token, "WeCom gives a token for them")
    yield found
    if found.ok:
        yield await clinic.attempt("secret", api.desks, "the desks can be seen")
    yield await clinic.clock(site.http, settings.api_base, site.clock)
    check, echo = clinic.sealed_check(
        settings.token, settings.encoding_aes_key, settings.corp_id, str(int(site.clock().timestamp()))
    )
    yield await clinic.callback(site.http, site.public_url, site.name, check, echo)
