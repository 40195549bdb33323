"""Processes of a run: started, waited for until they are ready, weighed, and ended whatever happens."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
READY = 120.0
"""Seconds in which a process must be ready."""
SECRETS = {
    "BENCH_SECRET": "secret-of-the-account",
    "BENCH_TOKEN": "token-of-the-callback",
    "BENCH_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}
HUB = """
[hub]
port = {port}
log_level = "error"
[knowledge]
sources = ["knowledge"]
embedding = "none"
"""
OA = """
[channels.oa]
kind = "wechat_oa"
app_id = "wx1234567890abcdef"
app_secret = "env:BENCH_SECRET"
token = "env:BENCH_TOKEN"
push = false
"""
MODEL = """
[agent.model]
provider = "openai"
name = "scripted"
base_url = "{url}"
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A process that is ready. `seconds` is how long it took."""

    process: asyncio.subprocess.Process
    url: str
    seconds: float

    @property
    def megabytes(self) -> float:
        """Resident memory of the process and of those that it started."""
        return sum(map(_resident, _family(self.process.pid))) / 1024

    @property
    def worked(self) -> float:
        """Seconds of a processor that the process itself took, those that it started left out."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(each for child in children for each in _family(int(child)))]
    return []


def _resident(pid: int) -> int:
    """Kilobytes."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)
    return 0


def configured(folder: Path, *, model: str = "") -> Path:
    """A hub.toml in this folder, with a port that is free."""
    (folder / "knowledge").mkdir(parents=True, exist_ok=True)
    file = folder / "hub.toml"
    file.write_text(HUB.format(port=free_port()) + OA + (MODEL.format(url=model) if model else ""))
    return file


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def port_of(file: Path) -> int:
    """The port in a configuration that `configured` wrote."""
    return int(next(line for line in file.read_text().splitlines() if line.startswith("port")).split()[-1])


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[Running]:
    """A process of the bench (`bare`, `child model`, `child echo CONFIG`), until the block ends."""
    began = time.perf_counter()
    async with _started("-m", f"tests.bench.{command[0]}", *command[1:]) as process:
        assert process.stdout is not None
        async with asyncio.timeout(READY):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} did not start")
        yield Running(process, line.decode().strip(), time.perf_counter() - began)


@asynccontextmanager
async def serving(file: Path, secrets: Mapping[str, str] = SECRETS) -> AsyncIterator[Running]:
    """`python -m hub serve`, until the block ends."""
    began = time.perf_counter()
    url = f"http://127.0.0.1:{port_of(file)}"
    async with (
        _started("-m", "hub", "serve", "--config", str(file), secrets=secrets) as process,
        aiohttp.ClientSession() as http,
    ):
        async with asyncio.timeout(READY):
            while not await _ready(http, url):
                if process.returncode is not None:
                    raise RuntimeError("the hub did not start")
                await asyncio.sleep(0.02)
        yield Running(process, url, time.perf_counter() - began)


async def _ready(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/readyz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def _started(*arguments: str, secrets: Mapping[str, str] = SECRETS) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **secrets, "NO_PROXY": "127.0.0.1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Its standard input is closed and it is asked to end; what does not listen is killed."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(30):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
