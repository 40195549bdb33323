"""Where Kotaemon is not there: who answers, and what `doctor` says."""

from pathlib import Path
from typing import Any

import pytest

from agent.agent import engines
from agent.breaker import Breaker
from agent.engines.kotaemon.probe import probe
from agent.ladder import Ladder, Nobody, Rung
from agent.models.scripted import Reply, Scripted
from config.sections import AgentSection
from tests.agent.engines.kotaemon.real import HERE, PYTHON
from tests.agent.library import SHIPPING, answer, context, events, turn

QUESTION = "满多少元免运费?"


def section(url: str = "", **kotaemon: Any) -> AgentSection:
    model = {"provider": "openai", "name": "scripted", "base_url": url} if url else {}
    given = {"engine": "kotaemon", "model": model, "kotaemon": kotaemon}
    return AgentSection.model_validate(given, context={"folder": Path()})


async def test_the_builtin_engine_answers_in_its_place() -> None:
    async with Scripted(lambda asked: Reply("满九十九元免运费 [1]。")) as model:
        made = engines(section(model.url, python="/nowhere/bin/python"))
        ladder = Ladder([Rung(engine, Breaker(clock=lambda: 0)) for engine in made], Nobody())
        said = answer(await events(ladder.answer(turn(QUESTION), context(QUESTION, SHIPPING))))
        for engine in made:
            await engine.close()

    assert [engine.name for engine in made] == ["kotaemon", "scripted", "extractive"]
    assert (said.engine, said.text) == ("scripted", "满九十九元免运费 [1]。")


def test_without_a_model_there_is_no_kotaemon() -> None:
    assert [engine.name for engine in engines(section())] == ["extractive"]


async def test_doctor_says_that_a_model_is_missing() -> None:
    finding = await probe(section())

    assert (finding.setting, finding.ok) == ("agent.engine", False)


@pytest.mark.parametrize(
    ("python", "ok"), [(Path("/nowhere/bin/python"), False), pytest.param(PYTHON, True, marks=HERE)]
)
async def test_doctor_says_whether_it_runs(python: Path, ok: bool) -> None:
    finding = await probe(section("http://127.0.0.1:9/v1", python=python))

    assert finding.ok is ok
    assert ("make kotaemon" in finding.advice) is not ok
