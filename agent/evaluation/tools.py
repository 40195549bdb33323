"""The declared tools as an evaluation uses them: what reads is run, what acts is asked about and never done."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from agent.tools.confirm import ENGINE, wording
from agent.tools.registry import makers
from agent.tools.tool import Tool
from agent.tools.toolbox import Maker, Toolbox
from agent.tools.uses import Desk
from config import Config
from hub.channel import Finding
from hub.person import Evidence, Language
from hub.turn import Answer
from memory.calls import Call as Use

READY = 30.0
"""Seconds in which tools that a server lists must be there."""


class Nowhere:
    """Keeps no use, and knows nobody's evidence. Implements agent.tools.uses.Records."""

    async def uses(self, turn: str) -> Sequence[Use]:
        """No turn is run twice."""
        return ()

    async def keep(self, turn: str, use: Use) -> bool:
        """The turn is never over."""
        return True

    async def proofs(self, person: int) -> Sequence[Evidence]:
        """What is bound to evidence is refused."""
        return ()


class Asking:
    """Asks, and nobody says yes. Implements agent.tools.uses.Ask."""

    async def ask(self, turn: str, tool: Tool, given: Mapping[str, Any], language: Language) -> Answer:
        """The question."""
        asked = {name: value for name, value in given.items() if name not in tool.policy.bind}
        return Answer(wording(tool.manner, asked, language), engine=ENGINE)


@dataclass(frozen=True, slots=True)
class Harmless:
    """The tools of a section that change nothing without a yes. Implements agent.tools.toolbox.Maker."""

    maker: Maker

    @property
    def tools(self) -> Sequence[Tool]:
        """Those that read, and those that ask first."""
        return [tool for tool in self.maker.tools if tool.policy.effect == "reads" or tool.policy.confirm]

    async def open(self) -> None:
        """See the protocol; so are the others."""
        await self.maker.open()

    async def close(self) -> None:
        await self.maker.close()

    async def doctor(self) -> Finding:
        return await self.maker.doctor()


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Toolbox]:
    """The tools of a configuration."""
    async with aiohttp.ClientSession() as http:
        made = {name: Harmless(maker) for name, maker in makers(config.tools, http).items()}
        box = Toolbox(made, Desk(Nowhere(), Asking()), passages=config.agent.passages)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(READY):
                    await box.open()
            yield box
        finally:
            await box.close()
