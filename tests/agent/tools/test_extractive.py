"""An answer without a model that needs a tool: chosen, used, told in the declared words with its source."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.engine import Context, Passage
from agent.engines.extractive import Extractive
from agent.tools.tool import Manner, Tool
from hub.person import Evidence
from hub.texts import texts
from hub.turn import Answer, ToolUsed, TurnEvent
from tests.agent.library import answer, events
from tests.agent.tools.desk import Counter, Work, counter, tool

ANY = '{"type": "object", "properties": {}, "additionalProperties": false}'
SUB = Evidence("jwt_sub", "shop:c-17")
SAYS = Manner("订单查询", says="您的订单{status}。", empty="没有订单。")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as opened:
        yield opened


def declared(work: Work, **policy: Any) -> Tool:
    made = tool(work, schema=ANY, manner=SAYS, **policy)
    return replace(made, spec=replace(made.spec, examples=("我的订单到哪了",)))


async def said(
    desk: Counter, one: Tool, *passages: str, proofs: tuple[Evidence, ...] = (), question: str = "我的订单到哪里了？"
) -> list[TurnEvent]:
    turn = await desk.turn(question, proofs=proofs)
    desk.shelf.put(Passage(text, "说明", "", "", text) for text in passages)
    context = Context(turn.text, desk.shelf, 0.9 if passages else 0.0, desk.uses(turn, one))
    return await events(Extractive().answer(turn, context))


async def test_the_tool_is_used_and_told_with_its_source(desk: Counter) -> None:
    found = await said(desk, declared(Work()))

    assert answer(found).text == "您的订单已发货。[1]"
    assert [(c.label, c.title, c.quote) for c in answer(found).citations] == [("1", "订单查询", "status: 已发货")]
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["ok"]


async def test_nothing_found_is_said_in_the_declared_words(desk: Counter) -> None:
    assert answer(await said(desk, declared(Work(value=[])))).text == "没有订单。"


async def test_whoever_is_not_known_is_told_how_to_become_so(desk: Counter) -> None:
    work = Work()

    found = await said(desk, declared(work, requires="linked"))

    assert answer(found).text == texts("zh").tools.not_linked
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["refused"]
    assert work.seen == []


async def test_a_passage_stands_below_a_refusal_only_where_it_speaks_of_all_that_is_asked(desk: Counter) -> None:
    refuses, help_, near = declared(Work(), requires="linked"), "打开“我的订单”查看物流。", "青禾生活销售空气净化器。"

    found = answer(await said(desk, refuses, help_, near))
    bare = answer(await said(desk, refuses, near, question="我的空气净化器订单到哪了"))

    assert found.text == f"{texts('zh').tools.not_linked}\n\n{help_}[1]"
    assert (bare.text, bare.citations) == (texts("zh").tools.not_linked, ())


async def test_a_tool_that_acts_without_asking_is_never_chosen_by_examples(desk: Counter) -> None:
    work = Work()

    await said(desk, declared(work, effect="acts"))

    assert work.seen == []


async def test_a_question_before_it_acts_is_the_answer(desk: Counter) -> None:
    class Asking:
        async def ask(self, *_: object) -> Answer:
            return Answer("要办理吗？")

    desk.ask = Asking()
    work = Work()

    found = await said(desk, declared(work, effect="acts", confirm=True))

    assert answer(found).text == "要办理吗？"
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["pending"]
    assert work.seen == []
