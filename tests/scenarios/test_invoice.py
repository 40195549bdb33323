"""A customer misses the invoice of an air purifier: who asks, the order, the rules, and one yes, on every channel."""

import re
from pathlib import Path

import pytest

from agent.models.scripted import Asked, Reply, Script
from hub.texts import texts
from tests.agent.engines.kotaemon import real
from tests.bench.platforms import Side
from tests.scenarios.shop import CHANNELS, Shop, Visitors, shop

QUESTION = "我上个月买的空气净化器一直没收到发票，能帮我查一下吗？"
PURIFIER = "空气净化器"
NUMBER = re.compile(r"QH\d{12}")


def clerk(asked: Asked) -> Reply:
    """A model that looks an order up, reads the rules, and asks for an invoice when it is told to."""
    if asked.question == QUESTION:
        return _looked_up(asked)
    if asked.question == "请补开":
        [number] = set(NUMBER.findall(asked.prompt))
        return Reply(calls=(("request_invoice", f'{{"order": "{number}"}}'),))
    return Reply(f"办好了：{' '.join(asked.results)}")


def _looked_up(asked: Asked) -> Reply:
    if not asked.results:
        look = ("find_orders", f'{{"product": "{PURIFIER}"}}')
        return Reply("我查一下。", (look, ("search_knowledge", '{"question": "多久之内可以补开发票"}')))
    order, rules = asked.results[0], asked.results[1]
    if "/link" in order:
        return Reply("请先绑定账号：在另一个渠道发送 /link。")
    found = re.search(r'<passage number="(\d+)"[^>]*>[^<]*180 天', rules)
    assert found
    return Reply(f"查到了：{order}\n订单完成后 180 天内可以补开发票 [{found[1]}]。")


MODELS: dict[str, Script | None] = {"no model": None, "a model": clerk}


@pytest.mark.parametrize("kind", CHANNELS, ids=lambda side: side.kind)
@pytest.mark.parametrize("model", MODELS)
async def test_the_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Side], model: str) -> None:
    async with shop(tmp_path, kind, monkeypatch, script=MODELS[model]) as s:
        await nobody_is_told_of_orders_before_it_is_known_who_asks(s)
        await s.link()
        number = await the_order_and_the_rules_come_in_one_answer(s)
        await nothing_is_done_before_the_yes(s, number)
        await one_yes_does_it_once(s, number)


@real.HERE
async def test_the_story_with_kotaemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.engines.kotaemon.engine.FIRST", 60.0)  # a busy machine starts it slowly
    engine = f'[agent]\nengine = "kotaemon"\n[agent.kotaemon]\npython = "{real.PYTHON}"\n'
    async with shop(tmp_path, Visitors, monkeypatch, script=real.speaking(clerk), more=engine) as s:
        await nobody_is_told_of_orders_before_it_is_known_who_asks(s)
        await s.link()
        number = await the_order_and_the_rules_come_in_one_answer(s)
        await nothing_is_done_before_the_yes(s, number)
        await one_yes_does_it_once(s, number)
        assert s.model
        assert not any(asked.body["stream"] for asked in s.model.asked)


async def nobody_is_told_of_orders_before_it_is_known_who_asks(s: Shop) -> None:
    said = await s.ask(QUESTION)

    assert "/link" in said
    assert not NUMBER.search(said)
    assert await s.ordered(PURIFIER) == []


async def the_order_and_the_rules_come_in_one_answer(s: Shop) -> str:
    said = await s.ask(QUESTION)
    [order] = await s.ordered(PURIFIER)

    assert {order.number, "未申请"} <= set(re.findall(r"QH\d+|未申请", said))
    assert "180 天" in said
    assert re.search(r"\[\d\]", said)
    assert "发票" in said.split("来源")[-1] if s.side.kind != "h5" else True
    return order.number


async def nothing_is_done_before_the_yes(s: Shop, number: str) -> None:
    said = await s.ask("请补开")
    [order] = await s.ordered(PURIFIER)

    assert number in said
    assert ("请回复：Y（确认）" in said) != s.hub.channels[s.side.kind].traits.choices
    assert order.invoice == "未申请"


async def one_yes_does_it_once(s: Shop, number: str) -> None:
    said = await s.ask("Y")
    [order] = await s.ordered(PURIFIER)

    assert (order.number, order.invoice) == (number, "已申请")
    assert number in said
    assert await s.ask("Y") == texts("zh").confirm.done
    assert await s.ordered(PURIFIER) == [order]
