"""What can be found out about an application without a member who writes to it."""

from collections.abc import AsyncIterator

from channels.kit import clinic
from channels.wecom.openapi import OpenApi
from channels.wecom.settings import Settings
from hub.channel import Finding, Site


async def examine(settings: Settings, site: Site, api: OpenApi) -> AsyncIterator[Finding]:
    """The credentials, the application, the clock, and the callback."""
    found = await clinic.attempt("corp_id, secret", api.token, "WeCom gives a token for them")
    yield found
    if found.ok:
        yield await clinic.attempt("agent_id", api.agent, "the application is there")
    yield await clinic.clock(site.http, settings.api_base, site.clock)
    check, echo = clinic.sealed_check(
        settings.token, settings.encoding_aes_key, settings.corp_id, str(int(site.clock().timestamp()))
    )
    yield await clinic.callback(site.http, site.public_url, site.name, check, echo)
