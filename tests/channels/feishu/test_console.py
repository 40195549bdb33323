"""`simulate feishu`, without the terminal."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from channels.feishu.channel import Feishu
from channels.simulators.feishu.console import Person, account_of
from hub.message import Choice
from tests.channels.feishu.conftest import Make
from tests.channels.feishu.messages import ACCOUNT, PLAIN, settings


def test_the_simulated_app_is_the_one_of_the_channel() -> None:
    assert account_of(settings(ACCOUNT)) == ACCOUNT
    assert account_of(settings(PLAIN)) == PLAIN


async def test_a_line_is_said_alone_or_in_a_group_and_a_button_is_pressed(
    world: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    w = await world()
    person = Person(w.url, connected=False)
    for line in ("你好", "@ 报销"):
        await person.says(line, w.platform, w.http)
    await w.channel.send(w.answer(w.inbox.messages[0], "选吧", choices=(Choice("好", "确认"),)))
    person.reads(w.shown[0])
    for line in ("#2", "#x", "#1"):
        await person.says(line, w.platform, w.http)

    assert [(m.text, m.conversation.id, m.addressed) for m in w.inbox.messages] == [
        ("你好", "oc_ming", True),
        ("报销", "oc_group", True),
        ("确认", "oc_ming", True),
    ]
    told = capsys.readouterr().out
    assert "选吧" in told
    assert "#1 好" in told
    assert told.count("no such button") == 2


async def test_a_hub_that_is_not_there_is_told_of(world: Make, capsys: pytest.CaptureFixture[str]) -> None:
    w = await world()
    async with aiohttp.ClientSession() as http:
        await Person("http://127.0.0.1:9/", connected=False).says("在吗", w.platform, http)
        await Person(w.url, connected=True, patience=0.05).says("在吗", w.platform, http)
    w.platform.account.token = "wrong"
    await Person(w.url, connected=False).says("在吗", w.platform, w.http)

    told = capsys.readouterr().out
    assert "did not answer" in told
    assert "not acknowledged" in told
    assert "answered 403" in told


async def test_a_card_that_grows_is_read_when_it_is_whole(world: Make) -> None:
    w = await world()
    read: list[str] = []
    w.platform.show = lambda shown: read.append(shown.text)
    message = await w.ask()
    live = await w.channel.live(message)
    assert live is not None
    await live.grow("一半")
    await w.until(lambda: w.shown and w.shown[0].text == "一半")
    assert read == []
    await live.close()
    await w.channel.send(w.answer(message, "全文", live=live.handle))

    assert read == ["全文"]


async def test_the_platform_ends_at_once_though_a_hub_is_connected(world: Make) -> None:
    w = await world(transport="websocket")
    runner = web.AppRunner(w.platform.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings_here = w.channel.settings.model_copy(update={"api_base": f"http://127.0.0.1:{port}"})
    running = asyncio.create_task(Feishu(settings_here, w.channel.site).run())
    await w.until(lambda: w.platform.gateway.connections)
    async with asyncio.timeout(20):
        await runner.cleanup()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
