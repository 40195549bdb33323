"""A question before a tool acts has buttons where a platform has cards: whose press counts, and until when."""

from pathlib import Path

import aiohttp
import pytest

from agent.models.scripted import Asked, Reply
from channels.simulators.dingtalk.gateway import PRESSED
from channels.simulators.feishu.events import mention
from channels.simulators.pushes import Account, post
from channels.simulators.wecom import press
from hub.texts import texts
from tests.bench.platforms import CORP, KEY, TOKEN, App, Application, Robot, Side
from tests.scenarios.shop import ORDERS, Shop, StreamRobot, shop

SAYS = texts("zh").confirm
ASKED = "请给我回电话"
TOOL = f"""
[agent.tools.call_back]
kind = "http"
title = "预约回电"
description = "预约客服回电。"
url = "{ORDERS}/orders"
private = true
groups = true
confirm = true
bind = {{ customer = "turn" }}
ask = "要为您预约客服回电吗？"
says = "已预约。"
"""
CARDS = pytest.mark.parametrize("kind", [Application, App, StreamRobot], ids=lambda side: side.kind)
GROUP = "oc_group"


def clerk(asked: Asked) -> Reply:
    """A model that books a call when it is asked to."""
    if asked.question.endswith(ASKED):
        return Reply(calls=(("call_back", "{}"),))
    return Reply("已经预约好了。" if asked.results else "好的。")


async def pressed(s: Shop, number: int, who: str = "lin") -> None:
    """Somebody presses a button of the last card."""
    match s.side:
        case Application() as side:
            account, body = Account(side.url, TOKEN, KEY, CORP), press(CORP, who, side.wecom.cards[-1], number)
            assert (await post(s.http, account, *account.signed(body))).status == 200
        case App() as side:
            assert await _clicked(side, s.http, number, who) == 200
        case Robot() as side:
            event = side.platform.press(side.platform.pressable, number, user=who)
            assert await side.platform.gateway.push(event, topic=PRESSED)
        case other:
            raise AssertionError(other.kind)


async def _clicked(side: App, http: aiohttp.ClientSession, number: int, who: str) -> int:
    card = next(shown for shown in reversed(side.platform.shown) if shown.buttons)
    event = side.platform.account.click(card.buttons[number - 1], message=card.id, chat=card.chat, user=who)
    return (await side.platform.post(http, side.url, event))[0]


async def said_in_group(s: Shop, words: str, who: str) -> None:
    """A message in a Feishu group that mentions the bot."""
    assert isinstance(s.side, App)
    platform = s.side.platform
    us = mention(1, platform.account.bot, "Helper")
    event = platform.account.message(f"@_user_1 {words}", user=who, chat=GROUP, group=True, mentions=[us])
    assert (await platform.post(s.http, s.side.url, event))[0] == 200


@CARDS
async def test_a_button_says_yes_once_and_an_old_one_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Side]
) -> None:
    async with shop(tmp_path, kind, monkeypatch, script=clerk, more=TOOL) as s:
        assert "预约客服回电" in await s.ask(ASKED)
        await pressed(s, 1)
        assert await s.reads() == "已经预约好了。"
        assert await s.ask("Y") == SAYS.done
        await s.ask(ASKED)
        assert await s.ask("先不说这个") == "好的。"
        await pressed(s, 1)
        assert await s.reads() == SAYS.late


@CARDS
async def test_a_button_says_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Side]) -> None:
    async with shop(tmp_path, kind, monkeypatch, script=clerk, more=TOOL) as s:
        await s.ask(ASKED)
        await pressed(s, 2)

        assert await s.reads() == SAYS.declined


async def test_another_member_of_the_group_can_neither_press_nor_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(tmp_path, App, monkeypatch, script=clerk, more=TOOL) as s:
        await said_in_group(s, ASKED, "lin")
        assert "预约客服回电" in await s.reads(who="group")
        await pressed(s, 1, who="mei")
        assert await s.reads(who="group") == SAYS.other
        await said_in_group(s, "Y", "mei")
        assert await s.reads(who="group") == "好的。"
        await pressed(s, 1, who="lin")
        assert await s.reads(who="group") == "已经预约好了。"
