"""What `doctor` finds out about an AI bot."""

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator

import aiohttp

from channels.kit import clinic
from channels.kit.envelope import Envelope
from channels.wecom_bot.settings import Settings
from hub.channel import Finding, Site

ECHO = b"1616140317555161061"


async def examine(settings: Settings, site: Site) -> AsyncIterator[Finding]:
    """The clock, and the way in."""
    yield await clinic.clock(site.http, settings.api_base, site.clock)
    yield await (_callback(settings, site) if settings.transport == "webhook" else _connection(settings, site))


async def _callback(settings: Settings, site: Site) -> Finding:
    """Checks the address as WeCom does when it is saved in the console."""
    token, key = settings.token, settings.encoding_aes_key
    envelope = Envelope(token.value if token else "", key.value if key else "", "")
    now, nonce = str(int(site.clock().timestamp())), secrets.token_hex(8)
    sealed = envelope.seal(ECHO, timestamp=now, nonce=nonce)
    query = {"msg_signature": sealed.signature, "timestamp": now, "nonce": nonce, "echostr": sealed.encrypted}
    return await clinic.callback(site.http, site.public_url, site.name, query, ECHO.decode())


async def _connection(settings: Settings, site: Site) -> Finding:
    """Whether WeCom answers. It is not asked to take the bot's secret: that would displace the running hub."""
    advice = "check ws_url and that this machine may connect to it"
    try:
        async with site.http.ws_connect(settings.ws_url, timeout=aiohttp.ClientWSTimeout(ws_close=1.0)) as ws:
            await ws.send_json({"cmd": "ping", "headers": {"req_id": f"ping_{uuid.uuid4().hex}"}})
            async with asyncio.timeout(settings.ack_seconds):
                await ws.receive()
    except (aiohttp.ClientError, OSError) as error:
        return Finding("ws_url", False, f"WeCom does not answer ({type(error).__name__})", advice)
    return Finding("ws_url", True, "WeCom answers; bot_id and secret show in the log and in /readyz when the hub runs")
