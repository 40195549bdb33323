"""An evaluation: what its file may hold, what is counted, and the command over real documents."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from pathlib import Path

import pytest

from agent.evaluation import cases
from agent.evaluation.cases import Case
from agent.evaluation.figures import Outcome, figures
from agent.evaluation.run import cost
from agent.models.scripted import Scripted, echo
from config.sections import AgentModelSection, AgentSection, ModelSection
from hub.message import Citation
from hub.turn import Answer, ToolUsed, Usage
from tests.agent.library import REFUNDS, SHIPPING
from tests.architecture.source import ROOT

SHIPPED = ROOT / "tests/data/evaluation.jsonl"
HUB = """
[hub]
data_dir = "data"
[knowledge]
sources = ["knowledge"]
embedding = "none"
[channels.web]
kind = "h5"
allowed_origins = ["https://shop.example"]
"""
RIGHT = Citation("1", "配送说明", "", "满九十九元免运费，否则运费为八元。")
FREE = Case(question="满多少包邮", sources=("shipping",), facts=("九十九 元",))


def outcome(case: Case, text: str, *citations: Citation, refused: bool = False, tool: str = "") -> Outcome:
    used = (ToolUsed(tool, "ok"),) if tool else ()
    return Outcome(case, Answer(text, citations, refused=refused), (SHIPPING, REFUNDS), used)


def test_the_shipped_questions_are_150_and_half_of_them_are_held_out() -> None:
    found = cases.read(SHIPPED)
    files = {path.stem for path in (ROOT / "knowledge").iterdir()}

    assert (len(found.cases), found.faults) == (150, ())
    assert sum(case.unknown for case in found.cases) == 35
    assert 70 <= sum(case.part == "held out" for case in found.cases) <= 80
    assert all(case.unknown or (case.facts and set(case.sources) <= files) for case in found.cases)


def test_the_questions_by_which_nothing_was_chosen_are_60_and_half_of_them_can_t_be_answered() -> None:
    found = cases.read(SHIPPED.with_name("evaluation-unseen.jsonl"))

    assert (len(found.cases), found.faults) == (60, ())
    assert sum(case.unknown for case in found.cases) == 30
    assert not {case.question for case in found.cases} & {case.question for case in cases.read(SHIPPED).cases}


def test_every_fault_of_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "问"}\n\n{"question": ""}\n{"questions": "问"}\n[', encoding="utf-8")

    assert [fault.partition(":")[0] for fault in cases.read(file).faults] == ["line 3", "line 4", "line 4", "line 5"]


def test_a_right_answer_counts_everywhere() -> None:
    found = figures([outcome(FREE, "满九十九元免运费。[1]", RIGHT)])

    assert (found.recall, found.answered, found.correct, found.citations, found.grounded) == (1, 1, 1, 1, 1)
    assert (found.refused, found.tools) == (None, None)


def test_what_is_wrong_counts_where_it_is_wrong() -> None:
    elsewhere = Citation("1", "退货政策", "", REFUNDS.text[:20])
    unknown = Case(question="谁是董事长", unknown=True)
    found = figures(
        [
            outcome(FREE, "满九十九元免运费。[1]", elsewhere),
            outcome(FREE, "满五十元免运费。[1]", RIGHT),
            outcome(FREE, "不知道", refused=True),
            outcome(unknown, "是我。[1]", RIGHT),
            outcome(unknown, "不知道", RIGHT, refused=True),
        ]
    )

    assert (found.answered, found.correct, found.refused) == (2 / 3, 1 / 3, 1 / 2)
    assert (found.citations, found.grounded) == (1 / 3, 1 / 3)


def test_citations_of_what_no_document_answers_by_its_name_are_not_judged() -> None:
    assert figures([outcome(Case(question="我的订单到哪了"), "在路上。[1]", RIGHT)]).citations is None


def test_a_question_for_a_tool_is_right_when_it_was_used() -> None:
    asked = Case(question="我的订单到哪了", tools=("order",))

    assert [outcome(asked, "在路上", tool=tool).wrong for tool in ("order", "")] == ["", "a tool was not used"]


@pytest.mark.parametrize(
    ("usage", "money"),
    [(Usage("big", 1_000_000, 100_000), 3.0), (Usage("small", 1_000_000, 100_000), 0.5), (Usage(), 0.0)],
)
def test_a_turn_costs_what_the_model_that_answered_costs(usage: Usage, money: float) -> None:
    small = ModelSection(provider="ollama", name="small", input_price=0.5)
    priced = AgentModelSection(
        provider="openai", name="big", base_url="http://m", input_price=2, output_price=10, fallbacks=(small,)
    )

    assert cost(usage, AgentSection(model=priced)) == pytest.approx(money)
    assert cost(usage, AgentSection()) is None


def test_the_costs_of_all_questions_are_one_sum() -> None:
    told = outcome(FREE, "满九十九元免运费。[1]", RIGHT)

    assert figures([told, replace(told, cost=0.25), replace(told, cost=0.5)]).cost == 0.75
    assert figures([told]).cost is None


async def test_a_model_is_counted_in_tokens_and_in_money(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "q.jsonl").write_text(FREE.model_dump_json(), encoding="utf-8")
    async with Scripted(echo) as model:
        priced = f"""
[agent.model]
provider = "openai"
name = "m"
base_url = "{model.url}"
input_price = 1000000
output_price = 2000000
"""
        (tmp_path / "hub.toml").write_text(HUB + priced, encoding="utf-8")
        args = (str(tmp_path / "q.jsonl"), "--config", str(tmp_path / "hub.toml"))
        _, out, errors = await evaluate(*args, "--json")
        _, table, _ = await evaluate(*args)

    [run] = json.loads(out)["runs"].values()
    assert (run["figures"]["input_tokens"], run["figures"]["output_tokens"]) == (7, 5), errors
    assert (run["figures"]["cost"], run["questions"][0]["cost"]) == (17, 17)
    assert "17.0000" in table


async def evaluate(*words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "hub", "evaluate", *words]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_two_configurations_are_asked_and_shown_side_by_side(tmp_path: Path) -> None:
    places = []
    for name, text in (("one", SHIPPING.text), ("two", REFUNDS.text)):
        (tmp_path / name / "knowledge").mkdir(parents=True)
        (tmp_path / name / "knowledge" / "shipping.md").write_text(f"# 说明\n\n{text}\n", encoding="utf-8")
        (tmp_path / name / "hub.toml").write_text(HUB, encoding="utf-8")
        places += ["--config", str(tmp_path / name / "hub.toml")]
    file = tmp_path / "q.jsonl"
    follow = Case(question="那偏远地区呢?", before=("标准配送需要几个工作日?",), facts=("另加两天",))
    asked = (Case(question="满多少元免运费", sources=("shipping",), facts=("九十九元",)), follow)
    file.write_text("\n".join(case.model_dump_json() for case in asked), encoding="utf-8")

    status, out, _ = await evaluate(str(file), *places, "--json")
    one, two = json.loads(out)["runs"].values()
    _, table, _ = await evaluate(str(file), *places, "--wrong")

    assert status == 0
    assert (one["figures"]["correct"], two["figures"]["correct"]) == (1, 0)
    assert [question["wrong"] for question in one["questions"]] == ["", ""]
    assert "with all facts" in table


async def test_a_file_that_can_t_be_used_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(HUB, encoding="utf-8")
    (tmp_path / "q.jsonl").write_text("{}\n", encoding="utf-8")
    config = ("--config", str(tmp_path / "hub.toml"))
    broken, missing = (
        await evaluate(str(tmp_path / "q.jsonl"), *config),
        await evaluate(str(tmp_path / "none"), *config),
    )

    assert (broken[0], missing[0]) == (1, 1)
    assert broken[2].splitlines()[-1].endswith("line 1: question: Field required")
    assert missing[2].splitlines()[-1].endswith("No such file or directory")


async def test_declared_tools_read_for_who_is_known_and_never_act(tmp_path: Path) -> None:
    tools = """
[agent.tools.find]
kind = "python"
function = "tests.agent.evaluation.shop.find"
description = "查订单"
requires = "linked"
effect = "reads"
examples = ["我的订单到哪了"]
[agent.tools.cancel]
kind = "python"
function = "tests.agent.evaluation.shop.cancel"
description = "取消订单"
confirm = true
effect = "acts"
examples = ["取消我的订单"]
"""
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "hub.toml").write_text(HUB + tools, encoding="utf-8")
    found = Case(question="我的订单到哪了", linked=True, tools=("find",), facts=("在路上",))
    asks = Case(question="取消我的订单", tools=("cancel",))
    asked = (found, found.model_copy(update={"linked": False}), asks)
    (tmp_path / "q.jsonl").write_text("\n".join(case.model_dump_json() for case in asked), encoding="utf-8")

    _, out, errors = await evaluate(str(tmp_path / "q.jsonl"), "--config", str(tmp_path / "hub.toml"), "--json")

    [run] = json.loads(out)["runs"].values()
    assert [question["wrong"] for question in run["questions"]] == ["", "a tool was not used", ""], errors
    assert "取消了" not in run["questions"][2]["answer"]
