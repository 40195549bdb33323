"""A model that writes for the hub: the first that works, told the task apart from the words."""

import pytest

from agent.engine import EngineFailed
from agent.models.openai import ChatModel
from agent.models.scripted import Asked, Reply, Scripted
from agent.scribe import ModelScribe, scribe
from config.sections import AgentSection


def down(asked: Asked) -> Reply:
    return Reply(status=500)


def writes(asked: Asked) -> Reply:
    return Reply(f"写好了：{asked.question}")


async def test_the_next_model_writes_where_the_first_fails() -> None:
    async with Scripted(down) as first, Scripted(writes) as second:
        models = ModelScribe([ChatModel("a", base_url=first.url), ChatModel("b", base_url=second.url)])
        written = await models.write("任务", "数据")
        await models.close()

    assert written == "写好了：数据"


async def test_where_none_works_it_says_so() -> None:
    async with Scripted(down) as first:
        models = ModelScribe([ChatModel("a", base_url=first.url)])
        with pytest.raises(EngineFailed, match="500"):
            await models.write("任务", "数据")
        await models.close()


def test_without_a_model_there_is_none() -> None:
    assert scribe(AgentSection()) is None
