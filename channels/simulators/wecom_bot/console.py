"""A member in front of the simulated bot: types lines, reads how the answer grows."""

import asyncio

import aiohttp
from aiohttp import web
from yarl import URL

from channels.simulators.chat import HERE, callback, converse, shown, told
from channels.simulators.wecom_bot.callbacks import Caller
from channels.simulators.wecom_bot.gateway import Gateway
from channels.simulators.wecom_bot.people import text
from channels.wecom_bot.settings import Settings
from config import Config
from hub.errors import ConfigError

POLL_SECONDS = 1.0
GROUP = "CHAT1"


async def play(config: Config, name: str) -> None:
    """Plays WeCom for the channel `name` until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no wecom_bot channel")
    told("Type what you want to say to the bot; a line that begins with @ is said in a group.")
    if settings.transport == "webhook":
        await _called(settings, callback(config, name))
    else:
        await _connected(settings, name)


async def _called(settings: Settings, url: str) -> None:
    """The hub needs no change to be called back; a response_url is given where api_base names this machine."""
    token = settings.token.value if settings.token else ""
    key = settings.encoding_aes_key.value if settings.encoding_aes_key else ""
    caller = Caller(url, token, key, base=settings.api_base, show=lambda words: shown(words, by="response_url"))
    runner = web.AppRunner(caller.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    base = URL(settings.api_base)
    here = base.host in HERE
    try:
        if here:
            await web.TCPSite(runner, base.host, base.port).start()
        async with aiohttp.ClientSession() as http:
            await converse(lambda line: _ask(caller, http, line, by_url=here))
    finally:
        await runner.cleanup()


async def _ask(caller: Caller, http: aiohttp.ClientSession, line: str, *, by_url: bool) -> None:
    """Says a line, and polls until the stream is finished."""
    group = GROUP if line.startswith("@") else ""
    said = text(line.removeprefix("@").strip(), group=group, response_url=caller.response_url() if by_url else None)
    answered = await caller.call(http, said)
    if answered.status != 200:
        told(f"the hub answered {answered.status}")
        return
    state, before = answered.stream, ""
    while True:
        if state.get("content") != before:
            before = str(state.get("content"))
            shown(before, by="stream, finished" if state.get("finish") else "stream")
        if state.get("finish"):
            return
        await asyncio.sleep(POLL_SECONDS)
        state = await caller.poll(http, str(state["id"]), group=group)


async def _connected(settings: Settings, name: str) -> None:
    """Serves the address at which the hub looks for WeCom."""
    url = URL(settings.ws_url)
    if url.host not in HERE or url.scheme != "ws":
        raise ConfigError(f'write ws_url = "ws://127.0.0.1:9003" under [channels.{name}], and restart the hub')
    secret = settings.secret.value if settings.secret else ""
    gateway = Gateway(settings.bot_id, secret, show=lambda words: shown(words, by="bot"))
    runner = web.AppRunner(gateway.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()

    async def say(line: str) -> None:
        await gateway.say(text(line.removeprefix("@").strip(), group=GROUP if line.startswith("@") else ""))

    try:
        await web.TCPSite(runner, url.host, url.port).start()
        await converse(say)
    finally:
        await runner.cleanup()
