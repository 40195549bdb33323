"""The person in front of the simulated DingTalk: types a line, reads the answers."""

import asyncio
import sys
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web
from yarl import URL

from channels.dingtalk.settings import Settings
from channels.simulators.dingtalk.platform import Platform, Shown
from config import Config
from hub.errors import ConfigError

GROUP = "cidgroup="


async def play(config: Config, name: str) -> None:
    """Plays the platform for the channel `name` until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no dingtalk channel")
    base = URL(settings.api_base)
    if base.host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(f'set channels.{name}.api_base to an address of this machine, e.g. "http://127.0.0.1:9002"')
    platform = Platform(
        settings.client_id,
        settings.client_secret.value,
        robot=settings.robot,
        template=settings.card_template_id,
        show=_show,
    )
    platform.base = settings.api_base.rstrip("/")
    runner = web.AppRunner(platform.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, base.host, base.port).start()
    _say(f"DingTalk plays at {platform.base}. Type a message; begin it with @ to speak in a group. Ctrl-D ends.")
    try:
        await _converse(platform, settings, f"http://{config.hub.host}:{config.hub.port}/channels/{name}")
    finally:
        await runner.cleanup()


async def _converse(platform: Platform, settings: Settings, callback: str) -> None:
    async with aiohttp.ClientSession() as http:
        async for line in _lines():
            message = platform.message(line.removeprefix("@").strip(), group=GROUP if line.startswith("@") else "")
            if settings.transport == "webhook":
                _say(f"… the hub answered {await platform.post(http, callback, message)}")
            else:
                ack = await platform.gateway.push(message, within=15.0)
                _say(f"… acknowledged with {ack['code']}" if ack else "… not acknowledged: is the hub running?")


async def _lines() -> AsyncIterator[str]:
    """What is typed, until the input ends."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            yield line.strip()


def _show(shown: Shown) -> None:
    _say(f"[{shown.chat} by {shown.way}] {shown.text}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
