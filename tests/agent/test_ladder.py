"""Which engine answers when one fails."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from agent.breaker import Breaker
from agent.engine import Context, Engine, EngineFailed
from agent.ladder import Ladder, Observer, Rung
from hub.texts import texts
from hub.turn import Answer, Delta, Restarted, ToolUsed, Turn, TurnEvent
from tests.agent.library import LOOK, SHIPPING, Toolbox, answer, context, events, shown, turn
from tests.agent.test_breaker import Clock

Step = TurnEvent | Exception | float


class Played(Engine):
    """An engine that does these things: yields events, raises errors, waits for seconds."""

    def __init__(self, name: str, *steps: Step) -> None:
        self.name = name
        self.steps = steps
        self.asked = 0
        self.ended = 0

    async def answer(self, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]:
        self.asked += 1
        try:
            for step in self.steps:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.ended += 1


class Counts(Observer):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def engine_answered(self, engine: str, answer: Answer, *, seconds: float) -> None:
        self.seen.append(f"{engine} answered")

    def engine_failed(self, engine: str, code: str, *, seconds: float) -> None:
        self.seen.append(f"{engine} failed: {code}")

    def tool_used(self, tool: ToolUsed) -> None:
        self.seen.append(f"{tool.name} {tool.outcome}")


LAST = Played("last", Answer("资料里说", engine="last"))


def ladder(*engines: Engine, observer: Observer | None = None, clock: Clock | None = None) -> Ladder:
    return Ladder([Rung(engine, Breaker(clock=clock or Clock())) for engine in engines], observer or Counts())


async def climbed(*engines: Engine, seconds: float | None = None) -> list[TurnEvent]:
    deadline = float("inf") if seconds is None else asyncio.get_running_loop().time() + seconds
    return await events(ladder(*engines).answer(turn("问"), context("问", SHIPPING, deadline=deadline)))


async def test_the_first_engine_answers() -> None:
    first = Played("first", Delta("好"), Answer("好", engine="first"))

    assert await climbed(first, LAST) == [Delta("好"), Answer("好", engine="first")]


@pytest.mark.parametrize("failure", [EngineFailed("500"), ValueError("a fault of its own"), TimeoutError()])
async def test_the_next_answers_when_it_fails(failure: Exception) -> None:
    assert await climbed(Played("first", failure), LAST) == [Answer("资料里说", engine="last")]


async def test_what_was_shown_is_taken_back() -> None:
    found = await climbed(Played("first", Delta("四十"), EngineFailed("cut_off")), LAST)

    assert found == [Delta("四十"), Restarted(), Answer("资料里说", engine="last")]


async def test_what_was_taken_back_already_is_not_taken_back_twice() -> None:
    found = await climbed(Played("first", Delta("四十"), Restarted(), EngineFailed("cut_off")), LAST)

    assert found == [Delta("四十"), Restarted(), Answer("资料里说", engine="last")]


@pytest.mark.parametrize("last", [[], [Answer(" \n", engine="first")]])
async def test_an_engine_that_says_nothing_has_failed(last: list[Step]) -> None:
    assert answer(await climbed(Played("first", *last), LAST)).engine == "last"


async def test_an_engine_is_cut_off_in_time_for_the_next() -> None:
    slow = Played("slow", Delta("慢"), 30.0, Answer("太晚", engine="slow"))

    found = await climbed(slow, LAST, seconds=2.05)

    assert found == [Delta("慢"), Restarted(), Answer("资料里说", engine="last")]
    assert slow.ended == 1


async def test_when_all_fail_a_polite_sentence_is_said() -> None:
    said = answer(await climbed(Played("first", EngineFailed()), Played("last", EngineFailed())))

    assert said.text == texts("zh").failed


async def test_an_engine_that_fails_again_and_again_is_left_alone_and_tried_later() -> None:
    clock, broken = Clock(), Played("broken", EngineFailed("500"))
    climb = ladder(broken, LAST, clock=clock)

    async def ask() -> str:
        return answer(await events(climb.answer(turn("问"), context("问")))).engine

    assert [await ask() for _ in range(40)] == ["last"] * 40
    assert broken.asked == 5
    broken.steps = (Answer("又好了", engine="broken"),)
    clock.now += 15
    assert [await ask() for _ in range(3)] == ["broken"] * 3


async def test_a_failure_between_answers_changes_nothing() -> None:
    moody = Played("moody")
    climb = ladder(moody, LAST)
    for n in range(13):
        moody.steps = (EngineFailed("500"),)
        await events(climb.answer(turn("问"), context("问")))
        moody.steps = (Answer("好了", engine="moody"),)

        assert answer(await events(climb.answer(turn("问"), context("问")))).text == "好了", n


async def test_a_turn_that_nobody_waits_for_is_no_failure() -> None:
    slow = Played("slow", 30.0)
    climb = ladder(slow, LAST)
    for _ in range(9):
        task = asyncio.create_task(events(climb.answer(turn("问"), context("问"))))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert climb.rungs[0].breaker.state == "closed"
    assert slow.ended == slow.asked


async def test_what_happened_is_counted() -> None:
    counts = Counts()
    first = Played("first", ToolUsed("look", "ok"), EngineFailed("429"))
    asked = context("问", tools=Toolbox((LOOK,)))

    found = await events(ladder(first, LAST, observer=counts).answer(turn("问"), asked))

    assert shown(found) == ""
    assert counts.seen == ["look ok", "first failed: 429", "last answered"]


async def test_a_tool_that_a_model_made_up_is_counted_without_its_words() -> None:
    counts = Counts()
    spoken = Played("first", ToolUsed("look", "ok"), ToolUsed("my number is 13800000000", "failed"), Answer("好了"))
    asked = context("?", tools=Toolbox((LOOK,)))

    found = await events(ladder(spoken, observer=counts).answer(turn("?"), asked))

    assert [event.name for event in found if isinstance(event, ToolUsed)] == ["look", "unknown"]
    assert counts.seen == ["look ok", "unknown failed", "first answered"]
