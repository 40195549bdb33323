"""The real Kotaemon where its environment is there, and models that speak as its agents want it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.engines.kotaemon.asked import ANSWER
from agent.engines.kotaemon.engine import Kotaemon
from agent.models.scripted import Asked, Reply, Script, Scripted
from config.sections import AgentSection
from tests.architecture.source import ROOT

PYTHON = ROOT / ".venv-kotaemon" / "bin" / "python"
HERE = pytest.mark.skipif(
    not PYTHON.exists(), reason="Kotaemon is not here; set it up: make kotaemon KOTAEMON_SOURCE=/path/to/kotaemon"
)
PROMPT = re.compile(
    r"\nQuestion: (?P<question>.*?)(?P<steps>(?:\n（用户刚才已经确认|\nThought:|\nFinal Answer:).*)", re.DOTALL
)
RESULT = re.compile(r"\nObservation: (.*?)(?=\nThought:)", re.DOTALL)


def speaking(script: Script) -> Script:
    """The same model for a ReactAgent: it asks for its tools in words, one after the other."""

    def said(asked: Asked) -> Reply:
        prompt = PROMPT.search(asked.question)
        assert prompt, "this was not asked by an agent of Kotaemon"
        results, heard = RESULT.findall(prompt["steps"]), 0
        done = "\n（用户" in prompt["steps"]
        while True:
            told = tuple(results) if done else tuple(results[:heard])
            reply = script(Asked(prompt["question"], told, asked.body))
            if not reply.calls:
                return Reply(f" 知道了。\n{ANSWER} {reply.text}", wait=reply.wait, status=reply.status)
            if len(results) < heard + len(reply.calls):
                name, arguments = reply.calls[len(results) - heard]
                return Reply(f" {reply.text}\nAction: {name}\nAction Input: {arguments}\n")
            heard += len(reply.calls)

    return said


def section(url: str, *, agent: str = "react", provider: str = "openai", seconds: float = 60) -> AgentSection:
    """The configuration of an engine whose model is reached here."""
    model = {"provider": provider, "name": "scripted", "base_url": url}
    kotaemon = {"agent": agent, "python": PYTHON, "seconds": seconds}
    return AgentSection.model_validate(
        {"engine": "kotaemon", "model": model, "kotaemon": kotaemon}, context={"folder": Path()}
    )


@asynccontextmanager
async def kotaemon(
    script: Script, *, agent: str = "react", seconds: float = 60
) -> AsyncIterator[tuple[Kotaemon, Scripted]]:
    """The real engine, and the model that it asks."""
    async with Scripted(script) as model:
        engine = Kotaemon(section(model.url, agent=agent, seconds=seconds))
        try:
            await engine.link.ready()
            yield engine, model
        finally:
            await engine.close()
