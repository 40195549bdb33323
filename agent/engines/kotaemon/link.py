"""The hub's end of the worker: starts it, talks to it over one WebSocket on loopback, and replaces it when it is gone.

A worker that does not answer a ping is killed. One that ends is started again, later each time; meanwhile nobody waits
for it: a turn that comes is refused at once, and the ladder asks the next engine. Only the very first start is waited
for. The token and the address go in by standard input, where no other user of the machine can read them.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from agent.engine import EngineFailed

log = structlog.get_logger()

WORKER = Path(__file__).with_name("worker.py")
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before a worker that ended is started again."""
PASSED_ON = (
    "PATH",
    "LANG",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SYSTEMROOT",
)
"""What the worker gets of the hub's environment, which also holds secrets."""
QUIET = {
    "NO_PROXY": "127.0.0.1,localhost,::1",
    "ANONYMIZED_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
}
"""Everything that Kotaemon's packages would tell or fetch besides asking the model."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `start`: until a worker is ready; `ping`: between two pings, in which the first must be answered.

    A worker that still imports Kotaemon is not pinged: that alone keeps a busy machine for many seconds.
    """

    start: float = 90.0
    ping: float = 15.0
    pauses: tuple[float, ...] = PAUSES


class Link:
    """One worker at a time, for all turns."""

    def __init__(self, python: Path, *, worker: Path = WORKER, timing: Timing | None = None) -> None:
        self._command = (str(python.absolute()), "-I", "-X", "utf8", str(worker))
        self._timing = timing or Timing()
        self._keeping: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        self._token = ""
        self._socket: web.WebSocketResponse | None = None
        self._came = asyncio.Event()
        self._ended = asyncio.Event()
        self._turns: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._names = 0
        self._answered = False
        self.version = ""
        """Of Kotaemon, once a worker was ready."""
        self.fault = "starting"
        """Why there is no worker; "" while there is one."""

    async def warm(self) -> None:
        """Begins to start the worker, if that was not done."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())

    async def ready(self) -> None:
        """Waits for the end of the first start. Raises EngineFailed when there is no worker."""
        await self.warm()
        await self._first.wait()
        if self.fault:
            raise EngineFailed(self.fault)

    @asynccontextmanager
    async def turn(self, asked: dict[str, Any]) -> AsyncIterator["Line"]:
        """Hands a turn to the worker. At the end it is told that nobody waits any more. Raises EngineFailed."""
        await self.ready()
        self._names += 1
        line = Line(self, str(self._names))
        self._turns[line.name] = line.told
        try:
            await self.send({**asked, "kind": "ask", "turn": line.name})
            yield line
        finally:
            del self._turns[line.name]
            with contextlib.suppress(EngineFailed):
                await self.send({"kind": "end", "turn": line.name})

    async def send(self, said: dict[str, Any]) -> None:
        """Raises EngineFailed when the worker is gone."""
        if self._socket is None or self._socket.closed:
            raise EngineFailed(self.fault or "gone")
        try:
            await self._socket.send_json(said)
        except (ConnectionError, RuntimeError):
            raise EngineFailed("gone") from None

    async def close(self) -> None:
        """Ends the worker."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None

    async def _keep(self) -> None:
        """Keeps a worker alive until the hub closes."""
        app = web.Application()
        app.router.add_get("/", self._connected)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            await self._again_and_again(f"http://{host}:{port}/")
        finally:
            self._gone("closed")
            await runner.cleanup()

    async def _again_and_again(self, address: str) -> None:
        tries = 0
        while True:
            began = asyncio.get_running_loop().time()
            folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="hub-kotaemon-")
            try:
                why = await self._lived(address, folder)
            finally:
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
            self._gone(why)
            tries = 0 if asyncio.get_running_loop().time() - began > self._timing.pauses[-1] else tries
            pause = self._timing.pauses[min(tries, len(self._timing.pauses) - 1)]
            advice = "run: make kotaemon" if why.startswith(("not_installed", "broken")) else ""
            log.warning("Kotaemon is not there; the next engine answers", why=why, again_in=pause, advice=advice)
            await asyncio.sleep(pause)
            tries += 1

    async def _lived(self, address: str, folder: str) -> str:
        """One worker, from its start to its end; why it ended."""
        self._token = secrets.token_urlsafe(32)
        self._came.clear()
        self._ended.clear()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        nowhere = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=nowhere,
                stderr=nowhere,
                cwd=folder,
                env={**environment, **QUIET, "HOME": folder},
            )
        except OSError:
            return "not_installed"
        try:
            return await self._watched(process, address)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _watched(self, process: asyncio.subprocess.Process, address: str) -> str:
        if process.stdin:
            process.stdin.write(json.dumps({"address": address, "token": self._token}).encode() + b"\n")
            process.stdin.close()
        ends = asyncio.create_task(process.wait())
        waits = [ends, asyncio.create_task(self._ended.wait()), asyncio.create_task(self._came.wait())]
        try:
            await asyncio.wait(waits, timeout=self._timing.start, return_when=asyncio.FIRST_COMPLETED)
            if not self._came.is_set():
                gone = "ended" if ends.done() or self._ended.is_set() else "slow_start"
                return self.fault if self.fault.startswith("broken") else gone
            self._first.set()
            return "ended" if await self._pinged(waits[:2]) else "hanging"
        finally:
            for wait in waits:
                wait.cancel()

    async def _pinged(self, waits: list[asyncio.Task[Any]]) -> bool:
        """Whether the worker ended by itself; False when it no longer answers."""
        while self._socket is not None:
            self._answered = False
            with contextlib.suppress(ConnectionError, RuntimeError):
                await self._socket.ping()
            ended, _ = await asyncio.wait(waits, timeout=self._timing.ping, return_when=asyncio.FIRST_COMPLETED)
            if ended or not self._answered:
                return bool(ended)
        return True

    async def _connected(self, request: web.Request) -> web.WebSocketResponse:
        """The worker's connection: whoever does not know its token is refused, and so is a second one."""
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()) or self._socket is not None:
            raise web.HTTPForbidden
        socket = self._socket = web.WebSocketResponse(autoping=False, max_msg_size=16 << 20)
        try:
            await socket.prepare(request)
            async for message in socket:
                self._answered = True
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._heard(json.loads(message.data))
        finally:
            self._socket = None
            self._ended.set()
        return socket

    def _heard(self, said: dict[str, Any]) -> None:
        match said["kind"]:
            case "ready":
                self.version, self.fault = said["version"], ""
                self._came.set()
                log.info("Kotaemon is ready", version=self.version)
            case "broken":
                self.fault = f"broken {said['code']}"
                self._ended.set()
            case _ if said["turn"] in self._turns:
                self._turns[said["turn"]].put_nowait(said)
            case _:
                pass

    def _gone(self, why: str) -> None:
        """All turns under way end."""
        self.fault = why
        self._first.set()
        for told in self._turns.values():
            told.put_nowait({"kind": "failed", "code": why})


class Line:
    """One turn of the worker."""

    def __init__(self, link: Link, name: str) -> None:
        self.name = name
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._link = link

    async def result(self, call: int, text: str) -> None:
        """Hands over what a tool brought."""
        await self._link.send({"kind": "result", "turn": self.name, "call": call, "result": text})
