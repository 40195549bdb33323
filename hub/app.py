"""The one place where the rooms are joined: what a configuration says becomes a hub that runs.

Everything is opened here, in order, and closed in the opposite order. Stopping: nothing new is taken (a
platform gets a 503 and tries again), what is in work is finished and sent, then all is closed.
"""

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.request import getproxies

import aiohttp
import structlog
import uvloop
from aiohttp import web

from agent.agent import OneAgent, engines
from agent.approved.book import Book
from agent.files import Files
from agent.knowledge.library import Library, open_library
from agent.scribe import scribe
from agent.tools.confirm import Confirmations
from agent.tools.records import SqlRecords
from agent.tools.registry import makers
from agent.tools.toolbox import Toolbox
from agent.tools.uses import Desk as ToolDesk
from channels.registry import load
from config import Config
from hub import web as pages
from hub.channel import Channel, Site
from hub.coordination import Coordination
from hub.coordination.local import local
from hub.delivery import Delivery
from hub.errors import ConfigError
from hub.gateway import Bounds, Gateway, HubRecord
from hub.observe import Metrics, configure_logs, new_metrics
from hub.turn import Answer, ToolUsed
from memory.files import KeptFiles
from memory.handing import Rules, Tell, watch
from memory.journal import SqlJournal
from memory.lock import active, only_one
from memory.mind import Mind
from memory.operators import Desk, Webhook
from memory.retention import retain
from memory.sensitive import Policy, masked
from memory.store import Store, open_store
from memory.study import Study

log = structlog.get_logger()

BUSY = {
    errno.EADDRINUSE: "another program listens there: stop it, or write another port under [hub]",
    errno.EADDRNOTAVAIL: "this machine has no such address: write another host under [hub]",
    errno.EACCES: "this user may not listen there: write a port above 1023 under [hub]",
}
RESTART_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Pauses before a long connection that ended by a fault of ours is opened again."""


@dataclass(slots=True)
class Hub:
    """A hub that was opened. `warnings` is what an operator must act on, by channel and key."""

    config: Config
    store: Store
    library: Library
    gateway: Gateway
    channels: Mapping[str, Channel[Any]]
    metrics: Metrics
    open: AsyncExitStack
    """Closes the channels, once: with the web server while it runs, else with the hub."""
    warnings: dict[str, str] = field(default_factory=dict)

    def refresh(self) -> None:
        """Brings the gauges up to date."""
        self.metrics.waiting(self.gateway.depth, self.gateway.oldest)
        self.metrics.warned(self.warnings)


def serve(config: Config) -> int:
    """Runs until SIGTERM or SIGINT; 0 when everything under way was finished."""
    json = config.hub.log_format == "json"
    configure_logs(config.hub.log_level, json=json, secrets=config.secrets, personal=masked)
    try:
        return uvloop.run(_serve(config))
    except ConfigError as error:
        log.error("the hub can't start", why=str(error))
        return 2
    except OSError as error:
        why = str(error) if error.filename else BUSY.get(error.errno or 0, str(error))
        log.error("the hub can't start", why=why, address=f"{config.hub.host}:{config.hub.port}")
        return 1


async def _serve(config: Config) -> int:
    stop, lost = asyncio.Event(), asyncio.Event()

    def leave() -> None:
        lost.set()
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        stack.enter_context(only_one(config.hub.data_dir))
        if config.storage.url:
            await stack.enter_async_context(active(config.storage.url.value, leave))
        hub = await stack.enter_async_context(open_hub(config))
        runner = await stack.enter_async_context(_listening(hub))
        settle()
        log.info("ready", address=f"http://{config.hub.host}:{config.hub.port}", channels=list(hub.channels))
        await stop.wait()
        log.info("stopping", in_work=hub.gateway.depth)
        for site in list(runner.sites):
            await site.stop()
        done = await hub.gateway.drain(config.hub.drain)
    log.info("stopped", everything_finished=done)
    return 1 if lost.is_set() else 0  # whoever watches over the process starts it again, to stand by


SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while another wants it."""


def settle() -> None:
    """What was made until now stays for good, so the collector need not look at it again, nor look every 700 objects.

    Measured: a fifth of the CPU of a message, and half of the longest pauses. Under load the thread that writes to the
    database waits for the interpreter after every statement, behind a loop that has always something to do: with
    Python's 5 ms each time, half of all acknowledgements took 0.7 s at 200 messages a second, with this 0.4 s.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(SWITCH_SECONDS)


@asynccontextmanager
async def open_hub(config: Config) -> AsyncIterator[Hub]:
    """Everything but the listening socket."""
    async with AsyncExitStack() as stack:
        metrics = new_metrics()
        store = await stack.enter_async_context(open_store(config.storage.url.value, config.hub.data_dir))
        coordination = await stack.enter_async_context(_coordination(config))
        http = await stack.enter_async_context(_session())
        library = await stack.enter_async_context(open_library(config, store, coordination.leases))
        confirmations = Confirmations(store, clock=now, seconds=config.agent.confirm)
        toolbox = _toolbox(config, store, http, confirmations)
        stack.push_async_callback(toolbox.close)
        agent = _agent(config, store, library, toolbox, confirmations, coordination, metrics)
        stack.push_async_callback(agent.close)
        channels: dict[str, Channel[Any]] = {}
        journal = SqlJournal(store)
        delivery = Delivery(journal, channels, clock=now, metrics=metrics, most=config.hub.turns)

        study = await stack.enter_async_context(_study(config, store))

        async def tell(place: int, text: str) -> bool:
            return await gateway.tell(place, text)

        gateway = Gateway(
            journal=journal,
            agent=agent,
            memory=_mind(config, store, http, tell, study),
            channels=channels,
            delivery=delivery,
            metrics=metrics,
            clock=now,
            bounds=_bounds(config),
            files=_files(config, store),
        )
        stack.push_async_callback(gateway.close)
        hub = Hub(config, store, library, gateway, channels, metrics, await stack.enter_async_context(AsyncExitStack()))
        for name, section in config.channels.items():
            channel = load(section.kind)
            site = _site(hub, name, journal, http, coordination)
            channels[name] = channel(section, site)
            hub.open.push_async_callback(channels[name].close)
        await gateway.start()
        beside = (
            kept_watch("engines", agent.warm),
            kept_watch("tools", toolbox.open),
            *_watches(config, store, tell, study),
            *(kept_watch(f"channels.{name}", channel.run) for name, channel in channels.items()),
        )
        await stack.enter_async_context(_beside(*beside))
        yield hub


def _files(config: Config, store: Store) -> KeptFiles | None:
    bounds = config.files
    if not bounds.hours:
        return None
    read = Files(most=bounds.megabytes << 20, characters=bounds.characters).read
    models = (config.agent.model, *config.agent.model.fallbacks)
    return KeptFiles(store, read, bounds, clock=now, pictures=any(model.pictures for model in models))


@asynccontextmanager
async def _study(config: Config, store: Store) -> AsyncIterator[Study]:
    writer = scribe(config.agent)
    try:
        yield Study(store, now, Policy.of(config.memory.keep), writer, config.memory.calls)
    finally:
        if writer:
            await writer.close()


def _watches(config: Config, store: Store, tell: Tell, study: Study) -> list[Coroutine[Any, Any, None]]:
    """What looks after memory while the hub runs."""
    watches: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "retention": lambda: retain(store, config.memory.days, now),
        "handed conversations": lambda: watch(store, config.operators.hours, tell, now),
        "study": study.run,
    }
    return [kept_watch(name, begin) for name, begin in watches.items()]


def _agent(
    config: Config,
    store: Store,
    library: Library,
    toolbox: Toolbox,
    confirmations: Confirmations,
    coordination: Coordination,
    metrics: Metrics,
) -> OneAgent:
    return OneAgent(
        config.agent,
        library,
        engines(config.agent),
        confirmations=confirmations,
        toolbox=toolbox,
        approved=Book(store),
        cache=coordination.cache,
        observer=Watch(metrics),
    )


def _toolbox(config: Config, store: Store, http: aiohttp.ClientSession, confirmations: Confirmations) -> Toolbox:
    desk = ToolDesk(SqlRecords(SqlJournal(store), now), confirmations)
    return Toolbox(makers(config.tools, http), desk, passages=config.agent.passages)


def _mind(config: Config, store: Store, http: aiohttp.ClientSession, tell: Tell, study: Study) -> Mind:
    operators = config.operators
    return Mind(
        store,
        clock=now,
        tell=tell,
        policy=Policy.of(config.memory.keep),
        trusted=frozenset(config.memory.trust),
        operators=Webhook(http, operators.webhook.value, operators.form) if operators.webhook else None,
        people=bool(operators.token),
        rules=Rules(operators.topics, operators.refusals),
        study=study,
        history=config.agent.history,
        kept=frozenset(name for name, section in config.channels.items() if load(section.kind).own_people),
    )


def now() -> datetime:
    """The hub's clock."""
    return datetime.now(UTC)


def _bounds(config: Config) -> Bounds:
    return Bounds(
        turns=config.hub.turns,
        turn_seconds=config.agent.seconds + 30,
        history=config.agent.history,
        stale_after=config.hub.stale_after,
    )


@asynccontextmanager
async def _coordination(config: Config) -> AsyncIterator[Coordination]:
    if not config.shared.url:
        yield local()
        return
    from hub.coordination.redis import shared  # imported only where it is used: it costs 20 MB

    async with shared(config.shared.url.value) as coordination:
        yield coordination


@asynccontextmanager
async def _session() -> AsyncIterator[aiohttp.ClientSession]:
    """One session for all channels; the timeouts are those of each call.

    The environment is asked only where it names a proxy: asking takes two threads a call, and finds passwords in
    ~/.netrc, which are no platform's business and which no call with an Authorization header may have beside it.
    """
    connector = aiohttp.TCPConnector(limit=256, limit_per_host=64, ttl_dns_cache=60)
    async with aiohttp.ClientSession(connector=connector, trust_env=bool(getproxies().keys() - {"no"})) as http:
        yield http


def _site(hub: Hub, name: str, journal: SqlJournal, http: aiohttp.ClientSession, coordination: Coordination) -> Site:
    def warn(key: str, text: str) -> None:
        if text and hub.warnings.get(f"{name}.{key}") != text:
            log.warning("the operator must act", channel=name, key=key, advice=text)
        if text:
            hub.warnings[f"{name}.{key}"] = text
        else:
            hub.warnings.pop(f"{name}.{key}", None)

    return Site(
        name=name,
        inbox=hub.gateway,
        record=HubRecord(journal, name),
        http=http,
        coordination=coordination,
        clock=now,
        public_url=hub.config.hub.public_url,
        warn=warn,
    )


class Watch:
    """Counts what the agent does."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def engine_answered(self, engine: str, answer: Answer, *, seconds: float) -> None:
        """An engine came to an answer."""
        if answer.usage.model:
            self._metrics.model_asked(answer.usage.model, answer.usage.seconds or seconds)

    def engine_failed(self, engine: str, code: str, *, seconds: float) -> None:
        """An engine came to none."""
        self._metrics.model_asked(engine, seconds)
        self._metrics.model_failed(engine, code)

    def tool_used(self, tool: ToolUsed) -> None:
        """Counted by the gateway, which sees every event."""

    def cache_used(self, *, hit: bool) -> None:
        """An answer was looked for among those given before."""
        self._metrics.cache_asked(hit=hit)

    def approved_used(self, outcome: str) -> None:
        """An approved answer was looked for."""
        self._metrics.approved_asked(outcome)


# -- what runs beside


async def kept_watch(name: str, watch: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What looks after something for as long as the hub runs: a fault of ours is logged, and it begins again.

    A channel's long connection, too.
    """
    failures = 0
    while True:
        try:
            return await watch()
        except Exception:
            log.exception("a watch failed; it begins again", watch=name)
        await asyncio.sleep(RESTART_SECONDS[min(failures, len(RESTART_SECONDS) - 1)])
        failures += 1


@asynccontextmanager
async def _beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs them while the block lasts."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# -- pages


@asynccontextmanager
async def _listening(hub: Hub) -> AsyncIterator[web.AppRunner]:
    runner = web.AppRunner(application(hub), access_log=None, shutdown_timeout=2.0, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, hub.config.hub.host, hub.config.hub.port, backlog=4096).start()
        yield runner
    finally:
        await runner.cleanup()


def application(hub: Hub) -> web.Application:
    """All routes: those of the channels below /channels/<name>, and the hub's own pages."""
    app = web.Application(middlewares=[pages.errors], client_max_size=pages.MOST_BODY)
    health = pages.Health(hub.metrics, _checks(hub), hub.warnings, hub.refresh)
    app.add_routes(health.routes())
    for channel in hub.channels.values():
        app.add_routes(channel.routes())
    token = hub.config.operators.token
    desk = Desk(hub.store, token=token.value if token else "", tell=hub.gateway.tell, clock=now)
    app.add_routes(desk.routes())
    if hub.config.hub.demo or hub.config.hub.loopback:
        from channels.h5.page import demo  # only where the page is shown

        app.add_routes([web.get("/", demo(hub.config))])

    async def goodbye(_: web.Application) -> None:
        """Whoever holds a connection open is told that it ends; else each would be waited for and then cut."""
        await hub.open.aclose()

    app.on_shutdown.append(goodbye)
    return app


def _checks(hub: Hub) -> dict[str, Callable[[], Any]]:
    """What the hub can't work without."""
    return {"storage": hub.store.answers, "knowledge": hub.library.ready}
