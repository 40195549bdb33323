"""`python -m hub doctor`: tries everything that a configuration names, and says what to fix.

It needs no running hub, stores nothing and sends nothing to any person. What a running hub is warned of
(an address that a platform refuses, say) is asked of it as well, where it answers.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from agent.engines.kotaemon import probe as kotaemon
from agent.models.providers import probe
from agent.tools.registry import makers
from channels.registry import load
from config import Config
from hub.app import now
from hub.channel import Finding, Site
from hub.coordination.local import local
from hub.doors import Shut

SECONDS = 30.0
"""How long one channel may take to be examined."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--channel", help="only this channel, by its name in hub.toml")


async def run(args: argparse.Namespace, config: Config) -> int:
    """Prints what was found; 0 when all is well, 1 when something is to be fixed, 2 for a channel that is not there."""
    console = Console(soft_wrap=True, highlight=False)
    if args.channel and args.channel not in config.channels:
        console.print(f"there is no channel {args.channel!r}; hub.toml has: {', '.join(config.channels) or 'none'}")
        return 2
    faults = 0
    async for finding in findings(config, args.channel):
        faults += not finding.ok
        _print(console, finding)
    console.print("all is well" if not faults else f"{faults} to fix")
    return 1 if faults else 0


def _print(console: Console, finding: Finding) -> None:
    mark = "[green]ok   [/green]" if finding.ok else "[red]WRONG[/red]"
    console.print(mark, end=" ")
    console.print(f"{finding.setting}: {finding.text}", markup=False)
    if finding.advice:
        console.print(f"      → {finding.advice}", markup=False)


async def findings(config: Config, only: str | None = None) -> AsyncIterator[Finding]:
    """Everything, or one channel."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(trust_env=True))
        if not only:
            yield _folder(config.hub.data_dir)
            async for finding in _servers(config, http):
                yield finding
            for section in (config.agent.model, *config.agent.model.fallbacks):
                yield await probe(section)
            if config.agent.engine == "kotaemon":
                yield await kotaemon.probe(config.agent)
        for name in [only] if only else config.channels:
            async for finding in _channel(config, name, http):
                yield replace(finding, setting=f"channels.{name}.{finding.setting}")
        async for finding in _warnings(config, http, only):
            yield finding


def _folder(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe_file = folder / ".doctor"
        probe_file.write_text("ok", encoding="ascii")
        probe_file.unlink()
    except OSError as error:
        return Finding("hub.data_dir", False, f"{folder} can't be written ({error.strerror})", "make it writable")
    return Finding("hub.data_dir", True, f"{folder} can be written")


async def _servers(config: Config, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """The servers that are configured instead of the embedded defaults, and those of tools."""
    if config.storage.url:
        yield await _postgresql(config.storage.url.value)
    if config.shared.url:
        yield await _redis(config.shared.url.value)
    if config.queue.url:
        yield await _rabbitmq(config.queue.url.value)
    async for finding in tools(config, http):
        yield finding


async def _postgresql(url: str) -> Finding:
    from memory.store import PostgresStore

    store = PostgresStore(url)
    try:
        if await store.answers():
            return Finding("storage.url", True, "PostgreSQL answers")
        return Finding("storage.url", False, "PostgreSQL does not answer", "start it, or correct the address")
    finally:
        await store.close()


async def _redis(url: str) -> Finding:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        return Finding(
            "shared.url", False, f"Redis does not answer ({type(error).__name__})", "start it, or correct it"
        )
    finally:
        await redis.aclose()
    return Finding("shared.url", True, "Redis answers")


async def _rabbitmq(url: str) -> Finding:
    import aio_pika

    try:
        async with asyncio.timeout(10):
            connection = await aio_pika.connect(url)
            await connection.close()
    except (aio_pika.exceptions.AMQPError, OSError, TimeoutError) as error:
        return Finding(
            "queue.url", False, f"RabbitMQ does not answer ({type(error).__name__})", "start it, or correct it"
        )
    return Finding("queue.url", True, "RabbitMQ answers")


async def tools(config: Config, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """What each declared tool finds out about itself, changing nothing."""
    for name, maker in makers(config.tools, http).items():
        try:
            async with asyncio.timeout(SECONDS):
                finding = await maker.doctor()
        except TimeoutError:
            finding = Finding("timeout", False, "no answer in time", "check what it connects to")
        yield replace(finding, setting=f"agent.tools.{name}.{finding.setting}")


async def _channel(config: Config, name: str, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """What the channel finds out about itself."""
    section: Any = config.channels[name]
    shut = Shut()
    site = Site(
        name=name,
        inbox=shut,
        record=shut,
        http=http,
        coordination=local(),
        clock=now,
        public_url=config.hub.public_url,
    )
    channel = load(section.kind)(section, site)
    try:
        async with asyncio.timeout(SECONDS):
            async for finding in channel.doctor():
                yield finding
    except TimeoutError:
        yield Finding("api_base", False, "no answer in time", "check the network between this machine and the platform")
    finally:
        await channel.close()


async def _warnings(config: Config, http: aiohttp.ClientSession, only: str | None) -> AsyncIterator[Finding]:
    """What the running hub is warned of."""
    url = f"http://{config.hub.host}:{config.hub.port}/readyz"
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=3)) as response:
            said = await response.json()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        yield Finding("hub", True, "no running hub answers at its address")
        return
    for name in said.get("missing", []):
        yield Finding("hub", False, f"the running hub is not ready: {name}", "see its log")
    for key, text in said.get("warnings", {}).items():
        if only is None or key.startswith(f"{only}."):
            yield Finding(f"channels.{key}", False, "the running hub meets a refusal", text)
