"""The people in front of the simulated DingTalk: one who speaks to the robot alone, and a group."""

import aiohttp
from aiohttp import web

from channels.dingtalk.settings import Settings
from channels.simulators.chat import callback, converse, place, shown, told
from channels.simulators.dingtalk.gateway import PRESSED
from channels.simulators.dingtalk.platform import Platform, Shown
from config import Config
from hub.errors import ConfigError

GROUP = "cidgroup="
PATIENCE = 20.0
"""Seconds in which the hub must have connected and acknowledged; after a loss it tries again ever more slowly."""


async def play(config: Config, name: str) -> None:
    """Plays the platform for the channel `name` until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no dingtalk channel")
    host, port = place(settings.api_base, name)
    platform = Platform(
        settings.client_id,
        settings.client_secret.value,
        robot=settings.robot,
        template=settings.card_template_id,
        show=_show,
    )
    platform.base = settings.api_base.rstrip("/")
    runner = web.AppRunner(platform.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        told(
            "Type what you want to say to the robot; a line that begins with @ is said in a group, #1 presses a button."
        )
        async with aiohttp.ClientSession() as http:
            await converse(lambda line: _say(platform, settings, http, callback(config, name), line))
    finally:
        await runner.cleanup()


async def _say(platform: Platform, settings: Settings, http: aiohttp.ClientSession, url: str, line: str) -> None:
    if line.startswith("#"):
        await _press(platform, line[1:])
        return
    message = platform.message(line.removeprefix("@").strip(), group=GROUP if line.startswith("@") else "")
    if settings.transport == "webhook":
        status = await platform.post(http, url, message)
        if status != 200:
            told(f"the hub answered {status}")
        return
    if not platform.gateway.live:
        told("waiting for the hub to connect …")
    if await platform.gateway.push(message, within=PATIENCE) is None:
        told("not acknowledged: is the hub running, with transport = stream?")


async def _press(platform: Platform, number: str) -> None:
    card = platform.cards.cards.get(platform.pressable)
    if not card or not number.isdigit() or not 0 < int(number) <= len(card.buttons):
        told("there is no such button")
    elif await platform.gateway.push(platform.press(platform.pressable, int(number)), topic=PRESSED) is None:
        told("not acknowledged: is the hub running?")


def _show(said: Shown) -> None:
    shown(said.text, by=f"{said.chat} ({said.way})")
