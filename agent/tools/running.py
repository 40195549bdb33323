"""One call of a tool in its time: tried once more where that is harmless, and never left hanging."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from agent.engine import ToolFailed
from agent.tools.tool import Call, Tool, Unsure

log = structlog.get_logger()

TRIES = 2
PAUSE = 0.3
"""Seconds before the second try."""
SLOW = "没有按时得到结果。"
BROKEN = "这个工具暂时用不了。"


async def run(tool: Tool, given: Mapping[str, Any], call: Call) -> object:
    """What the tool brings: a JSON value. Raises ToolFailed, and Unsure where something may have been changed."""
    try:
        return await _tried(tool, given, call)
    except TimeoutError:
        failure: ToolFailed = Unsure(SLOW)
    except Unsure as unsure:
        failure = unsure
    except ToolFailed:
        raise
    except Exception:
        log.exception("a tool broke", tool=tool.spec.name)
        failure = Unsure(BROKEN)
    log.warning("a tool brought nothing", tool=tool.spec.name, why=str(failure))
    raise failure if tool.policy.effect != "reads" else ToolFailed(str(failure))


async def _tried(tool: Tool, given: Mapping[str, Any], call: Call) -> object:
    tries = 1 if tool.policy.effect == "acts" else TRIES
    async with asyncio.timeout(tool.policy.seconds):
        for _ in range(tries - 1):
            try:
                return await tool.act(given, call)
            except Unsure:
                await asyncio.sleep(PAUSE)
        return await tool.act(given, call)
