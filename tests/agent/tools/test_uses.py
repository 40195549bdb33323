"""Tools in a turn: who may use them, with which arguments, how often, and what a crash leaves of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.engine import ToolFailed, ToolRefused, Unconfirmed
from agent.tools.tool import Call, Manner, Tool, Unsure
from hub.person import Evidence
from hub.texts import texts
from hub.turn import Answer
from memory.tables import audit
from tests.agent.tools.desk import Counter, Work, counter, given, tool

SUB = Evidence("jwt_sub", "shop:c-17")
OTHER = Evidence("jwt_sub", "shop:c-18")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as opened:
        yield opened


class Asking:
    """Asks for a yes, and keeps nothing."""

    async def ask(self, turn: str, tool: Tool, given: Mapping[str, Any], language: str) -> Answer:
        return Answer(f"要办理吗：{dict(given)}")


def lost(given: Mapping[str, Any], call: Call) -> Any:
    raise Unsure("没有收到结果")


async def test_a_result_stands_under_a_number_by_which_it_can_be_cited(desk: Counter) -> None:
    turn = await desk.turn()

    said = await desk.uses(turn, tool(Work())).call("order", given(order="2024"))

    assert '<passage number="1" title="订单查询' in said
    assert "status: 已发货" in said
    assert desk.shelf.passages[0].text == "status: 已发货"


@pytest.mark.parametrize(
    "arguments",
    [
        given(),
        given(order="abc"),
        given(order=2024),
        given(order="2024", customer="c-99"),
        '["2024"]',
        '{"order": ',
        "null",
        given(order="2024" * 9000),
        "[" * 9000,
    ],
)
async def test_arguments_that_are_not_as_declared_are_refused_before_anything_is_done(
    desk: Counter, arguments: str
) -> None:
    work, turn = Work(), await desk.turn()

    with pytest.raises(ToolFailed, match="没有执行"):
        await desk.uses(turn, tool(work)).call("order", arguments)

    assert work.seen == []
    assert await desk.states(turn) == []


async def test_who_asks_is_taken_from_the_turn_and_never_from_words(desk: Counter) -> None:
    work, turn = Work(), await desk.turn(proofs=(SUB,))
    bound = tool(work, bind={"customer": "evidence.jwt_sub", "me": "identity.user"})

    await desk.uses(turn, bound).call("order", given(order="2024"))
    with pytest.raises(ToolFailed):
        await desk.uses(turn, bound).call("order", given(order="2024", customer="c-18"))

    assert [seen for seen, _ in work.seen] == [{"order": "2024", "customer": "c-17", "me": "lin"}]


@pytest.mark.parametrize("proofs", [(), (SUB, OTHER)], ids=["none", "two"])
async def test_a_tool_about_somebody_works_for_nobody_whom_one_proof_does_not_name(
    desk: Counter, proofs: tuple[Evidence, ...]
) -> None:
    work, turn = Work(), await desk.turn(proofs=proofs)

    with pytest.raises(ToolRefused) as refused:
        await desk.uses(turn, tool(work, bind={"customer": "evidence.jwt_sub"})).call("order", given(order="2024"))

    assert refused.value.why == "linked"
    assert work.seen == []


async def test_a_tool_for_known_people_is_refused_to_others(desk: Counter) -> None:
    work, stranger, known = Work(), await desk.turn(who="a"), await desk.turn(who="b", proofs=(SUB,))
    own = tool(work, requires="linked")

    with pytest.raises(ToolRefused, match="/link"):
        await desk.uses(stranger, own).call("order", given(order="2024"))
    await desk.uses(known, own).call("order", given(order="2024"))

    assert len(work.seen) == 1
    assert await desk.states(stranger) == [("order", "refused")]


async def test_what_is_about_a_person_is_not_told_in_a_group(desk: Counter) -> None:
    work, turn = Work(), await desk.turn(proofs=(SUB,), group=True)

    with pytest.raises(ToolRefused) as refused:
        await desk.uses(turn, tool(work, requires="linked")).call("order", given(order="2024"))
    await desk.uses(turn, tool(work, requires="linked", groups=True)).call("order", given(order="2024"))

    assert refused.value.why == "group"
    assert len(work.seen) == 1


async def test_a_tool_that_asks_first_does_nothing_before_the_yes_and_nothing_where_nobody_can_be_asked(
    desk: Counter,
) -> None:
    work, turn = Work(), await desk.turn()
    asks = tool(work, confirm=True, effect="acts")

    with pytest.raises(ToolRefused) as refused:
        await desk.uses(turn, asks).call("order", given(order="2024"))
    desk.ask = Asking()
    with pytest.raises(Unconfirmed) as unconfirmed:
        await desk.uses(turn, asks).call("order", given(order="2024"))

    assert refused.value.why == "confirm"
    assert "2024" in unconfirmed.value.question.text
    assert work.seen == []


async def test_after_the_yes_it_is_done_once_however_often_the_turn_is_run(desk: Counter) -> None:
    work, turn = Work(), await desk.turn("Y")
    asks = tool(work, confirm=True, effect="acts", manner=Manner("开票", says="开票状态：{status}"))

    first = await desk.uses(turn, asks).confirmed("order", given(order="2024"))
    again = await desk.uses(turn, asks).confirmed("order", given(order="2024"))

    assert (first.says, first.failed) == (again.says, again.failed) == ("开票状态：已发货", False)
    assert len(work.seen) == 1


async def test_a_turn_that_is_run_again_takes_what_was_found_from_the_journal(desk: Counter) -> None:
    work, turn = Work(), await desk.turn()

    first = await desk.uses(turn, tool(work)).call("order", given(order="2024"))
    again = await desk.uses(turn, tool(work)).call("order", given(order="2024"))
    await desk.uses(turn, tool(work)).call("order", given(order="2025"))

    assert first == again
    assert [seen["order"] for seen, _ in work.seen] == ["2024", "2025"]


async def test_what_changes_something_is_not_done_again_in_other_words(desk: Counter) -> None:
    work, turn = Work(), await desk.turn()
    acts = tool(work, effect="acts")

    await desk.uses(turn, acts).call("order", given(order="2024"))
    told = await desk.uses(turn, acts).call("order", given(order="2025"))

    assert [seen["order"] for seen, _ in work.seen] == ["2024"]
    assert "2024" in told


async def test_one_run_may_do_two_things_but_no_thing_twice(desk: Counter) -> None:
    work, turn = Work(), await desk.turn()
    uses = desk.uses(turn, tool(work, effect="acts"))

    for order in ("2024", "2025", "2024"):
        await uses.call("order", given(order=order))

    assert [seen["order"] for seen, _ in work.seen] == ["2024", "2025"]
    assert len({key for _, key in work.seen}) == 2


async def test_what_was_begun_and_never_ended_is_told_as_unknown_and_not_done_again(desk: Counter) -> None:
    work, turn = Work(lost), await desk.turn()
    acts = tool(work, effect="acts")

    for _ in range(3):
        with pytest.raises(Unsure):
            await desk.uses(turn, acts).call("order", given(order="2024"))

    assert len(work.seen) == 1
    assert await desk.states(turn) == [("order", "begun")]


async def test_what_may_be_sent_twice_is_sent_again_under_the_same_key(desk: Counter) -> None:
    work, turn = Work(lost), await desk.turn()

    with pytest.raises(Unsure):
        await desk.uses(turn, tool(work, effect="repeats")).call("order", given(order="2024"))
    work.does = None
    await desk.uses(turn, tool(work, effect="repeats")).call("order", given(order="2025"))

    assert len(work.seen) == 3
    assert len({(seen["order"], key) for seen, key in work.seen}) == 1
    assert await desk.states(turn) == [("order", "done")]


async def test_a_process_that_dies_in_a_call_leaves_it_begun(desk: Counter) -> None:
    reached = asyncio.Event()

    async def hangs(given: Mapping[str, Any], call: Call) -> object:
        reached.set()
        return await asyncio.Event().wait()

    work, turn = Work(hangs), await desk.turn()
    acts = tool(work, effect="acts")
    task = asyncio.create_task(desk.uses(turn, acts).call("order", given(order="2024")))
    await reached.wait()
    task.cancel()
    await asyncio.wait([task])

    assert await desk.states(turn) == [("order", "begun")]
    with pytest.raises(Unsure):
        await desk.uses(turn, acts).call("order", given(order="2024"))
    assert len(work.seen) == 1


async def test_a_slow_tool_is_cut_off_and_delays_no_other_turn(desk: Counter) -> None:
    async def hangs(given: Mapping[str, Any], call: Call) -> object:
        return await asyncio.Event().wait()

    slow, quick = tool(Work(hangs), seconds=0.05), tool(Work(), "quick")
    mine, theirs = await desk.turn(who="a"), await desk.turn(who="b")
    waiting = asyncio.create_task(desk.uses(mine, slow).call("order", given(order="2024")))

    assert "已发货" in await desk.uses(theirs, quick).call("quick", given(order="2024"))
    with pytest.raises(ToolFailed, match="没有按时"):
        await waiting


async def test_a_turn_has_so_many_uses_and_no_more(desk: Counter) -> None:
    work, turn = Work(), await desk.turn()
    uses = desk.uses(turn, tool(work), calls=2)

    for order in ("2024", "2025"):
        await uses.call("order", given(order=order))
    with pytest.raises(ToolRefused) as refused:
        await uses.call("order", given(order="2026"))

    assert refused.value.why == "calls"
    assert len(work.seen) == 2


async def test_a_fault_of_a_tool_is_told_without_its_words(desk: Counter) -> None:
    async def breaks(given: Mapping[str, Any], call: Call) -> object:
        raise RuntimeError("password=hunter2")

    turn = await desk.turn()

    with pytest.raises(ToolFailed) as failed:
        await desk.uses(turn, tool(Work(breaks))).call("order", given(order="2024"))

    assert "hunter2" not in str(failed.value)
    assert await desk.states(turn) == [("order", "failed")]


async def test_after_a_failure_the_person_gets_a_sentence(desk: Counter) -> None:
    turn = await desk.turn("Y")

    done = await desk.uses(turn, tool(Work(lost), effect="acts")).confirmed("order", given(order="2024"))

    assert done.failed
    assert done.says == texts("zh").tools.unsure


async def test_nothing_is_done_for_a_turn_that_is_over(desk: Counter) -> None:
    work, turn = Work(), await desk.turn()
    stored = next(one for one in await desk.journal.open() if one.turn == turn.id)
    await desk.journal.withdraw(stored.message.conversation, stored.message.key)

    with pytest.raises(ToolFailed):
        await desk.uses(turn, tool(work)).call("order", given(order="2024"))

    assert work.seen == []


async def test_the_audit_log_names_the_tool_and_its_outcome_and_no_words(desk: Counter) -> None:
    turn = await desk.turn()
    await desk.uses(turn, tool(Work(value={"status": "秘密"}))).call("order", given(order="20240501"))

    rows = await desk.store.read(lambda connection: connection.execute(select(audit)).all())

    assert [(row.act, row.subject, row.detail) for row in rows] == [("tool", "order", "done")]
    assert "秘密" not in str(rows)
    assert "20240501" not in str(rows)


async def test_a_long_result_is_cut(desk: Counter) -> None:
    turn = await desk.turn()
    many = {"rows": [{"text": "长" * 5000}] * 500}

    said = await desk.uses(turn, tool(Work(value=many))).call("order", given(order="2024"))

    assert len(said) < 7000
    assert len(json.dumps(many)) > 1_000_000
