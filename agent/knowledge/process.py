"""Starts a module of the hub as a process of its own, with its standard input and output in our hands."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


async def start(module: str, *, limit: int = 2**16) -> Process:
    """`python -m module`, wherever we were started from. `limit`: the longest line that it may write."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, env=environment, limit=limit
    )
