"""The agent that the gateway is given."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from agent.agent import OneAgent, engines
from agent.engine import Found
from agent.models.scripted import Asked, Reply, Scripted, echo
from config.sections import AgentModelSection, AgentSection, ModelSection
from hub.texts import texts
from hub.turn import Answer
from tests.agent.library import PASSAGES, SHIPPING, Library, answer, events, shown, turn


def directed(asked: Asked) -> Reply:
    """A model that the question steers: [[say=…]] is what it says, [[fail=…]] how it fails."""
    steered = dict(re.findall(r"\[\[(\w+)=(.*?)\]\]", asked.question))
    failures = {
        "500": Reply(status=500),
        "429": Reply(status=429),
        "401": Reply(status=401),
        "garbage": Reply(raw=b"\x00\xff{no"),
        "html": Reply(raw=b"<html>login</html>", media_type="text/html"),
        "nothing": Reply(raw=b'{"choices": []}'),
        "null": Reply(),
        "drop": Reply(drop=True),
        "cut": Reply("满九十九元免运费", cut=True, pieces=1),
        "hang": Reply(wait=30),
        "drip": Reply("满九十九元免运费", pieces=1, pause=0.4),
    }
    return failures[steered["fail"]] if "fail" in steered else Reply(steered.get("say", echo(asked).text))


@asynccontextmanager
async def agent(library: Library | None = None, **settings: object) -> AsyncIterator[tuple[OneAgent, Scripted]]:
    """An agent over a scripted model."""
    async with Scripted(directed) as model:
        section = AgentSection.model_validate(
            {
                "model": {"provider": "openai", "name": "scripted", "base_url": model.url, "timeout": 0.5},
                **settings,
            }
        )
        made = OneAgent(section, library or Library(), engines(section))
        try:
            yield made, model
        finally:
            await made.close()


async def test_a_model_answers_from_the_passages() -> None:
    async with agent() as (made, model):
        found = await events(made.answer(turn("满多少元免运费?")))

    assert shown(found) == answer(found).text == "满多少元免运费? [1]"
    assert [citation.title for citation in answer(found).citations] == ["配送说明"]
    assert SHIPPING.text in model.asked[0].prompt


async def test_without_a_model_the_passages_answer() -> None:
    made = OneAgent(AgentSection(), Library(), engines(AgentSection()))

    said = answer(await events(made.answer(turn("满多少元免运费?"))))

    assert said.text == "满九十九元免运费，否则运费为八元。[1]"
    assert said.engine == "extractive"


@pytest.mark.parametrize(
    "kind", ["500", "429", "401", "garbage", "html", "nothing", "null", "drop", "cut", "hang", "drip"]
)
async def test_whatever_the_model_does_the_knowledge_answers_in_its_place(kind: str) -> None:
    async with agent() as (made, _):
        found = await events(made.answer(turn(f"满多少元免运费?[[fail={kind}]]")))
        again = await events(made.answer(turn("现在好了吗?[[say=好了]]")))

    assert "九十九元" in answer(found).text
    assert answer(found).engine == "extractive"
    assert shown(found) in ("", answer(found).text)
    assert answer(again).text == "好了"


async def test_the_second_model_answers_before_the_passages_do() -> None:
    async with Scripted(lambda asked: Reply(status=503)) as broken, Scripted(lambda asked: Reply("我在")) as other:
        second = ModelSection(provider="ollama", name="second", base_url=other.url)
        first = AgentModelSection(provider="openai", name="first", base_url=broken.url, fallbacks=(second,))
        made = OneAgent(AgentSection(model=first), Library(), engines(AgentSection(model=first)))
        said = answer(await events(made.answer(turn("在吗"))))
        await made.close()

    assert (said.text, said.engine) == ("我在", "second")


async def test_a_failure_is_logged_without_a_word_of_what_was_said() -> None:
    async with agent() as (made, _):
        with capture_logs() as logs:
            await events(made.answer(turn("我的手机号13800000000[[fail=500]]")))

    assert [(entry["engine"], entry["code"]) for entry in logs] == [("scripted", "500")]
    assert "13800000000" not in str(logs)


async def test_a_broken_knowledge_is_no_reason_to_be_silent() -> None:
    class Broken(Library):
        async def search(self, question: str, *, limit: int = 6) -> Found:
            raise OSError("the disk is gone")

    async with agent(Broken()) as (made, _):
        with capture_logs():
            found = await events(made.answer(turn("在吗")))

    assert found == [Answer(texts("zh").failed, engine="none", confidence=0)]


async def test_a_follow_up_is_searched_with_the_question_before() -> None:
    library = Library()
    made = OneAgent(AgentSection(), library, engines(AgentSection()))
    history = (("person", "标准配送要几天?"), ("agent", "三到五个工作日"))

    said = answer(await events(made.answer(turn("那偏远地区呢?", history=history))))
    await events(made.answer(turn("那呢?", history=history)))

    assert "另加两天" in said.text
    assert library.asked == ["标准配送要几天 那偏远地区呢?", "标准配送要几天 那呢?"]


async def test_a_message_without_words_asks_for_words() -> None:
    made = OneAgent(AgentSection(), Library(), engines(AgentSection()))

    assert answer(await events(made.answer(turn("  ")))).text == texts("zh").only_words


async def test_the_model_is_shown_no_more_history_than_is_set() -> None:
    history = tuple(("person" if n % 2 == 0 else "agent", f"话{n}") for n in range(10))
    async with agent(history=2) as (made, model):
        await events(made.answer(turn("问", history=history)))
    async with agent(history=0) as (none, alone):
        await events(none.answer(turn("问", history=history)))

    assert [message["content"] for message in model.asked[0].body["messages"][1:]] == ["话8", "话9", "问"]
    assert len(alone.asked[0].body["messages"]) == 2


async def test_the_search_tool_brings_passages_that_can_be_cited() -> None:
    def curious(asked: Asked) -> Reply:
        if not asked.results:
            return Reply(calls=(("search_knowledge", '{"question": "退款多久原路返回"}'),))
        number = re.findall(r'number="(\d+)" title="退货政策', asked.results[0])[0]
        return Reply(f"四十八小时内 [{number}]")

    async with agent(passages=1) as (made, model):
        model.script = curious
        said = answer(await events(made.answer(turn("满多少元免运费?"))))

    assert said.text == "四十八小时内 [2]"
    assert "四十八小时" in said.citations[0].quote


@pytest.mark.parametrize("arguments", ["{broken", "{}", '{"question": ""}', '{"question": 7}', "[]"])
async def test_the_search_tool_says_what_it_wants(arguments: str) -> None:
    async with agent() as (made, model):
        model.script = lambda asked: Reply("好") if asked.results else Reply(calls=(("search_knowledge", arguments),))
        await events(made.answer(turn("问")))

    assert '{"question": "…"}' in model.asked[1].results[0]


async def test_the_same_question_of_strangers_asks_the_model_once() -> None:
    async with agent(cache=600) as (made, model):
        said = [answer(await events(made.answer(turn("满多少元免运费?", who=who)))) for who in "abc"]

    assert len(model.asked) == 1
    assert {reply.text for reply in said} == {"满多少元免运费? [1]"}
    assert said[2].citations == said[0].citations


async def test_a_change_of_the_knowledge_makes_the_model_answer_again() -> None:
    library = Library(PASSAGES)
    async with agent(library, cache=600) as (made, model):
        await events(made.answer(turn("满多少元免运费?")))
        library.version += 1
        await events(made.answer(turn("满多少元免运费?")))

    assert len(model.asked) == 2


async def test_what_a_failing_model_left_to_the_passages_is_not_kept() -> None:
    async with agent(cache=600) as (made, model):
        model.script = lambda asked: Reply(status=500)
        await events(made.answer(turn("满多少元免运费?")))
        model.script = echo
        said = answer(await events(made.answer(turn("满多少元免运费?"))))

    assert said.engine == "scripted"


async def test_what_a_tool_brought_is_not_kept() -> None:
    async with agent(cache=600) as (made, model):
        model.script = lambda asked: Reply("好") if asked.results else Reply(calls=(("search_knowledge", "{}"),))
        await events(made.answer(turn("问")))
        await events(made.answer(turn("问")))

    assert len(model.asked) == 4


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("满九十九元免运费 [1]。否则运费八十元 [1]。", "满九十九元免运费 [1]。"),
        ("满九十九元免运费 [3]。", "满九十九元免运费 [1]。"),
        ("满一百九十九元免运费 [1]。", texts("zh").unknown),
    ],
)
async def test_what_a_model_says_beyond_its_sources_is_taken_back(said: str, left: str) -> None:
    async with agent() as (made, model):
        model.script = lambda asked: Reply(said, pieces=4)
        found = await events(made.answer(turn("满多少元免运费?")))

    assert shown(found) == answer(found).text == left
    assert answer(found).refused is (left == texts("zh").unknown)
    assert [citation.title for citation in answer(found).citations] == ["配送说明"] * ("[1]" in left)


async def test_numbers_of_the_conversation_need_no_source() -> None:
    said = "您的三件共 288 元，满九十九元免运费 [1]。"
    async with agent() as (made, model):
        model.script = lambda asked: Reply(said)
        history = (("person", "三件一共 288 元"), ("agent", "好的"))
        found = await events(made.answer(turn("要运费吗?", history=history)))

    assert answer(found).text == said
