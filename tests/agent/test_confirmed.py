"""What the agent makes of a yes: the tool that was asked about runs, and its outcome is told."""

from dataclasses import dataclass, field, replace

import pytest

from agent.agent import OneAgent, engines
from agent.engine import Context
from agent.models.scripted import Reply, Scripted
from agent.tools.confirm import Confirmations
from config.sections import AgentSection
from hub.texts import texts
from hub.turn import Answer, ToolUsed, Turn, TurnEvent
from memory.confirmations import Heard
from tests.agent.library import Library, Toolbox, answer, events, turn

SAYS = texts("zh").confirm
ASKED = (("person", "满九十九元免运费吗"), ("agent", "要取消订单 1024 吗？"))


@dataclass
class Answered(Confirmations):
    """The question stands like this."""

    heard: Heard | None
    turns: list[str] = field(default_factory=list)

    async def hear(self, turn: str, text: str) -> Heard | None:
        self.turns.append(turn)
        return self.heard


class Agent(OneAgent):
    """An agent whose tools a test gives."""

    toolbox = Toolbox()

    async def _context(self, turn: Turn) -> Context:
        return replace(await super()._context(turn), tools=self.toolbox)


async def said(heard: Heard | None, words: str = "Y", url: str = "") -> tuple[list[TurnEvent], Toolbox, Library]:
    model = {"provider": "openai", "name": "scripted", "base_url": url} if url else {}
    section, library = AgentSection.model_validate({"model": model}), Library()
    made = Agent(section, library, engines(section), confirmations=Answered(heard))
    made.toolbox = Toolbox(results=(("cancel", "已取消"),))
    try:
        return await events(made.answer(turn(words, history=ASKED))), made.toolbox, library
    finally:
        await made.close()


YES = Heard("yes", "cancel", '{"order": "1024"}', "t1")


async def test_a_yes_runs_the_tool_with_the_arguments_of_the_question_and_tells_the_outcome() -> None:
    found, tools, _ = await said(YES)

    assert tools.said_yes == (("cancel", '{"order": "1024"}'),)
    assert answer(found).text == "说：已取消"
    assert [(e.name, e.outcome) for e in found if isinstance(e, ToolUsed)] == [("cancel", "ok")]


async def test_a_model_is_told_the_outcome_and_shown_what_its_question_was_searched_for() -> None:
    async with Scripted(lambda asked: Reply(f"办好了，{asked.results[0]}。")) as model:
        found, _, library = await said(YES, url=model.url)

    assert answer(found).text == "办好了，已取消。"
    assert model.asked[0].question == "Y"
    assert library.asked == ["满九十九元免运费吗"]


async def test_a_model_that_fails_after_the_tool_ran_leaves_the_outcome_to_be_told() -> None:
    async with Scripted(lambda asked: Reply(status=500)) as model:
        found, tools, _ = await said(YES, url=model.url)

    assert (answer(found).text, len(tools.said_yes)) == ("说：已取消", 1)


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (Heard("no", "cancel"), SAYS.declined),
        (Heard("done", "cancel"), SAYS.done),
        (Heard("late"), SAYS.late),
        (Heard("other"), SAYS.other),
    ],
)
async def test_everything_else_ends_in_a_sentence_and_nothing_runs(heard: Heard, text: str) -> None:
    found, tools, _ = await said(heard)

    assert found == [Answer(text, engine="confirm")]
    assert tools.said_yes == ()


async def test_words_that_answer_no_question_are_answered_as_usual() -> None:
    found, tools, _ = await said(None, "满多少元免运费?")

    assert answer(found).text == "满九十九元免运费，否则运费为八元。[1]"
    assert tools.said_yes == ()
