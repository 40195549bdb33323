"""The process that owns the vectors: answers its clients over loopback, a line of JSON each way.

A client says first {"token": …, "name": …} and is answered {"ok": true}; then {"id": n, "do": NAME, …} is answered
{"id": n, …} or {"id": n, "error": text}, in whatever order answers are ready:

    nearest  question, limit, keys    → cosines {key: closeness}: the nearest, and these keys
    missing  keys                     → missing [key]: have no vector; extra [key]: have one and are not among these
    put      passages {key: text}, urgent   → made: how many vectors
    drop     keys                     → gone: how many vectors

Questions go before passages: vectors of passages are made in one thread with low priority, unless somebody waits
for them (`urgent`).
"""

import asyncio
import contextlib
import hmac
import json
import os
import secrets
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from agent.knowledge.vectors import LONGEST_LINE, Address, Setup
from agent.knowledge.vectors.chroma import Store, client
from agent.knowledge.vectors.embedders import Embedder, Matrix, NoVectors, embedder

LINGER = 1.0
"""Seconds that the owner stays when its last client has gone: the next command need not start it again."""
PATIENCE = 20.0
"""Seconds that it waits for its first client."""
REMEMBERED = 1024
"""Questions whose vectors are kept."""

Request = Mapping[str, object]
Reply = dict[str, object]


class Owner:
    """Embeds, stores and finds. Its methods block and are called in threads."""

    def __init__(self, setup: Setup) -> None:
        self._embedder: Embedder = embedder(setup)
        self._store = Store(client(setup.store, setup.folder), f"{setup.collection}-{self._embedder.name}")
        self._questions: OrderedDict[str, Matrix] = OrderedDict()
        self._lock = threading.Lock()
        self._known = self._store.keys()

    def nearest(self, question: str, limit: int, keys: list[str]) -> dict[str, float]:
        """Closeness of the nearest passages and of these; 0 = unrelated, 1 = the same."""
        vector = self._vector(question)
        found = self._store.nearest(vector, limit) if self._known else {}
        found |= self._store.cosines(vector, [key for key in keys if key not in found])
        floor = self._embedder.floor
        return {key: round((cosine - floor) / (1 - floor), 4) for key, cosine in found.items()}

    def _vector(self, question: str) -> Matrix:
        if question not in self._questions:
            self._questions[question] = self._embedder.question(question)
            while len(self._questions) > REMEMBERED:
                self._questions.popitem(last=False)
        return self._questions[question]

    def missing(self, keys: set[str]) -> tuple[list[str], list[str]]:
        """Keys without a vector, and keys of vectors that are not among these. Another replica may have made some."""
        self._known = self._store.keys()
        return sorted(keys - self._known), sorted(self._known - keys)

    def put(self, passages: Mapping[str, str]) -> int:
        """Makes the vectors that are not there yet. Two clients that bring the same passage pay for one."""
        with self._lock:
            new = [key for key in passages if key not in self._known]
            if new:
                self._store.put(new, self._embedder.passages([passages[key] for key in new]))
                self._known.update(new)
        return len(new)

    def drop(self, keys: list[str]) -> int:
        """Forgets these vectors."""
        with self._lock:
            gone = [key for key in keys if key in self._known]
            self._store.drop(gone)
            self._known.difference_update(gone)
        return len(gone)


class Server:
    """Speaks with the clients, and says when the last of them is gone."""

    def __init__(self, setup: Setup, token: str) -> None:
        self._setup = setup
        self._token = token
        self._owner = Owner(setup)
        self._clients = 0
        self.arrived = asyncio.Event()
        self.alone = asyncio.Event()
        self.alone.set()
        self._fast = ThreadPoolExecutor(2)
        self._slow = ThreadPoolExecutor(1, initializer=_yield_to_others)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it goes."""
        self._clients += 1
        self.arrived.set()
        self.alone.clear()
        tasks: set[asyncio.Task[None]] = set()
        try:
            if await self._greet(reader, writer):
                while line := await reader.readline():
                    task = asyncio.create_task(self._answer(json.loads(line), writer))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
        except (ConnectionError, ValueError, TimeoutError):
            pass  # gone, or no client of ours
        finally:
            for task in tasks:
                task.cancel()
            writer.close()
            self._clients -= 1
            if not self._clients:
                self.alone.set()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with asyncio.timeout(5):
            hello = json.loads(await reader.readline())
        known = hmac.compare_digest(str(hello.get("token", "")).encode(), self._token.encode())
        welcome = known and hello.get("name") == self._setup.name
        writer.write(json.dumps({"ok": welcome}).encode() + b"\n")
        await writer.drain()
        return welcome

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        slow = request.get("do") != "nearest" and not request.get("urgent")
        try:
            reply = await asyncio.get_running_loop().run_in_executor(
                self._slow if slow else self._fast, self._do, request
            )
        except NoVectors as error:
            reply = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 — the door of this process: the client is told, the next is served
            sys.stderr.write(traceback.format_exc())
            reply = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps({"id": request.get("id"), **reply}).encode() + b"\n")
            await writer.drain()

    def _do(self, request: Request) -> Reply:
        todo: dict[str, Callable[[], Reply]] = {
            "nearest": lambda: self._nearest(request),
            "missing": lambda: self._missing(request),
            "put": lambda: {"made": self._owner.put(_texts(request["passages"]))},
            "drop": lambda: {"gone": self._owner.drop(_keys(request["keys"]))},
        }
        return todo[str(request["do"])]()

    def _nearest(self, request: Request) -> Reply:
        limit = request["limit"]
        assert isinstance(limit, int)  # noqa: S101 — for the type checker; our own client wrote it
        return {"closeness": self._owner.nearest(str(request["question"]), limit, _keys(request["keys"]))}

    def _missing(self, request: Request) -> Reply:
        missing, extra = self._owner.missing(set(_keys(request["keys"])))
        return {"missing": missing, "extra": extra}


def _keys(value: object) -> list[str]:
    return [str(key) for key in value] if isinstance(value, list) else []


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _yield_to_others() -> None:
    """On Linux a priority belongs to a thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


async def serve(setup: Setup, ready: Callable[[], None]) -> None:
    """Serves until no client is left; `ready` is called when it listens. The caller holds the folder's lock."""
    token = secrets.token_urlsafe(32)
    server = Server(setup, token)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=LONGEST_LINE)
    file = setup.folder / "owner.json"
    try:
        port = listener.sockets[0].getsockname()[1]
        _write(file, Address(port, token, setup.name, os.getpid()))
        ready()
        await _until_alone(server)
    finally:
        file.unlink(missing_ok=True)
        listener.close()


async def _until_alone(server: Server) -> None:
    """Whoever started us comes within some seconds, or has died."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await server.arrived.wait()
    while True:
        await server.alone.wait()
        await asyncio.sleep(LINGER)
        if server.alone.is_set():
            return


def _write(file: Path, address: Address) -> None:
    """For the eyes of this user only, and never half written."""
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(asdict(address), out)
    new.replace(file)
