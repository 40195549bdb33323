"""The people in front of the simulated Feishu: one who speaks to the bot alone, and a group that mentions it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from channels.feishu.settings import Settings
from channels.simulators.chat import callback, converse, place, shown, told
from channels.simulators.feishu.events import Account, mention
from channels.simulators.feishu.platform import Platform, Shown
from config import Config
from hub.errors import ConfigError

GROUP = "oc_group"


async def play(config: Config, name: str) -> None:
    """Plays the platform for the channel `name` until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no feishu channel")
    host, port = place(settings.api_base, name)
    person = Person(callback(config, name), settings.transport == "websocket")
    platform = Platform(account_of(settings), show=person.reads)
    runner = web.AppRunner(platform.app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        told("Type what you want to say to the bot; a line that begins with @ is said in a group, #1 presses a button.")
        async with aiohttp.ClientSession() as http:
            await converse(lambda line: person.says(line, platform, http))
    finally:
        await runner.cleanup()


def account_of(settings: Settings) -> Account:
    """The app, as the hub knows it."""
    token, key = settings.verification_token, settings.encrypt_key
    return Account(
        settings.app_id,
        settings.app_secret.value,
        token=token.value if token else "",
        encrypt_key=key.value if key else "",
    )


@dataclass
class Person:
    """Who types. `seen` is the last message that had buttons, `patience` how long the hub may take to connect."""

    url: str
    connected: bool
    seen: Shown | None = None
    patience: float = 15.0

    def reads(self, message: Shown) -> None:
        """Something arrives."""
        shown(message.text, by=f"{message.chat} ({message.kind})")
        if message.buttons:
            self.seen = message
            told("  ".join(f"#{n} {b['label'] or b['say']}" for n, b in enumerate(message.buttons, 1)))

    async def says(self, line: str, platform: Platform, http: aiohttp.ClientSession) -> None:
        """Something is typed."""
        event = self._event(line, platform.account)
        if event is None:
            told("there is no such button")
        elif not self.connected:
            status, _ = await platform.post(http, self.url, event)
            if status != 200:
                told(f"the hub answered {status}" if status else "the hub did not answer in 3 s")
        elif not await self._acknowledged(event, platform):
            told("not acknowledged: is the hub running, with transport = websocket?")

    async def _acknowledged(self, event: dict[str, Any], platform: Platform) -> bool:
        """Delivers it as soon as the hub has connected."""
        try:
            async with asyncio.timeout(self.patience):
                await platform.until(lambda: platform.gateway.connections)
        except TimeoutError:
            return False
        return await platform.gateway.push(event) is not None

    def _event(self, line: str, account: Account) -> dict[str, Any] | None:
        if line.startswith("#"):
            number = int(line[1:]) if line[1:].isdigit() else 0
            if not self.seen or not 0 < number <= len(self.seen.buttons):
                return None
            return account.click(self.seen.buttons[number - 1], message=self.seen.id, chat=self.seen.chat)
        if line.startswith("@"):
            us = mention(1, account.bot, "Helper")
            return account.message(f"@_user_1 {line[1:].strip()}", chat=GROUP, group=True, mentions=[us])
        return account.message(line)
