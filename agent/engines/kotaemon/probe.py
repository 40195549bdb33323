"""`doctor`'s question to Kotaemon: whether its process comes up."""

import asyncio

from agent.engine import EngineFailed
from agent.engines.kotaemon.link import Link, Timing
from config.sections import AgentSection
from hub.channel import Finding

ADVICE = "run: make kotaemon"


async def probe(section: AgentSection) -> Finding:
    """Starts the worker once, and ends it."""
    name, python = "agent.kotaemon", section.kotaemon.python
    if section.model.provider == "none":
        advice = "write provider and name below [agent.model]; until then the builtin engine answers"
        return Finding("agent.engine", False, "Kotaemon reasons with a model, and none is configured", advice)
    link, timing = Link(python), Timing()
    try:
        async with asyncio.timeout(timing.start):
            await link.ready()
    except EngineFailed as failure:
        return Finding(name, False, f"Kotaemon does not run in {python.parent.parent} ({failure.code})", ADVICE)
    except TimeoutError:
        return Finding(name, False, f"Kotaemon did not start within {timing.start:.0f} s", "is the machine too busy?")
    finally:
        await link.close()
    return Finding(name, True, f"Kotaemon {link.version} runs")
