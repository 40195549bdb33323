"""The widget in a real browser: what is asked and answered, on good days and bad ones."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from hub.message import Choice, Reply
from tests.channels.h5.browser import shop
from tests.channels.h5.desk import CHOICE, CITED

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_visitor_asks_and_reads_the_answer_and_its_source(chrome: Browser) -> None:
    async with shop(chrome) as there:
        there.desk.answers["运费多少？"] = CITED
        await there.open()
        await there.ask("运费多少？")

        await expect(there.answers.last).to_contain_text("满 99 元免运费")
        await expect(there.answers.last.locator("strong")).to_have_text("99 元")
        quote = there.page.get_by_text("满九十九元免运费，否则运费为八元。")
        await expect(quote).to_be_hidden()
        await there.page.get_by_text("配送说明").click()
        await expect(quote).to_be_visible()
        original = there.page.get_by_role("link", name="打开原文")
        hub = there.hub.removesuffix("/channels/web")
        await expect(original).to_have_attribute("href", f"{hub}/docs/shipping")
        await expect(original).to_have_attribute("rel", "noopener nofollow noreferrer")
        assert there.wrong == []


async def test_a_mark_in_the_text_opens_its_source(chrome: Browser) -> None:
    async with shop(chrome) as there:
        there.desk.answers["运费多少？"] = CITED
        await there.open()
        await there.ask("运费多少？")
        await there.page.get_by_role("button", name="来源 1：配送说明").click()

        await expect(there.page.get_by_text("否则运费为八元")).to_be_visible()


async def test_an_answer_is_seen_while_it_is_written(chrome: Browser) -> None:
    async with shop(chrome) as there:
        there.desk.answers["讲个故事"] = ["从前", "有座山，", "山里有座庙。"]
        there.desk.hold.clear()
        await there.open()
        await there.box.fill("讲个故事")
        await there.box.press("Enter")

        await expect(there.page.get_by_text("从前有座山，山里有座庙。")).to_be_visible()
        assert await there.answers.count() == 0
        there.desk.hold.set()
        await expect(there.answers).to_have_text(["客服: 从前有座山，山里有座庙。"])
        assert there.wrong == []


async def test_screen_readers_are_told_the_finished_answer_once(chrome: Browser) -> None:
    async with shop(chrome) as there:
        there.desk.answers["讲个故事"] = ["从前", "有座山。"]
        await there.open()
        await there.page.evaluate("""() => {
            window.told = [];
            const announcer = document.querySelector("agent-hub").shadowRoot.querySelector("[aria-live=polite]");
            new MutationObserver(() => told.push(announcer.textContent)).observe(announcer, { childList: true });
        }""")
        await there.ask("讲个故事")

        assert await there.page.evaluate("told") == ["客服: 从前有座山。"]


async def test_a_reload_keeps_the_conversation_and_tells_it_in_order(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("第一问")
        await there.ask("第二问")
        before = await there.log.inner_text()
        await there.page.reload()
        await there.open()
        await there.answers.nth(1).wait_for()

        assert await there.log.inner_text() == before
        assert len(there.desk.said) == 2
        assert there.wrong == []


async def test_where_no_websocket_gets_through_events_do(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.page.evaluate("() => { window.WebSocket = class { constructor() { throw new Error() } } }")
        there.desk.answers["讲个故事"] = ["从前", "有座山。"]
        await there.open()
        await there.ask("讲个故事")
        await there.ask("还有呢")

        await expect(there.answers).to_have_text(["客服: 从前有座山。", "客服: 答：还有呢"])
        assert [message.text for message in there.desk.said] == ["讲个故事", "还有呢"]


async def test_what_is_said_offline_is_sent_once_when_the_network_is_back(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("在线")
        await there.desk.channel.close()
        await there.context.set_offline(True)
        await there.box.fill("离线说的")
        await there.box.press("Enter")
        await expect(there.page.get_by_text("发送中…")).to_be_visible()
        there.desk.reopen()
        await there.context.set_offline(False)

        await expect(there.answers.last).to_contain_text("答：离线说的")
        assert [message.text for message in there.desk.said] == ["在线", "离线说的"]


async def test_what_did_not_get_through_survives_a_reload(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("在线")
        there.desk.broken = True
        await there.box.fill("没送到的")
        await there.box.press("Enter")
        await expect(there.page.get_by_text("正在重试")).to_be_visible()
        await there.page.reload()
        there.desk.broken = False
        await there.open()

        await expect(there.answers.last).to_contain_text("答：没送到的")
        assert [message.text for message in there.desk.said] == ["在线", "没送到的"]


async def test_who_types_too_fast_is_asked_to_wait_politely(chrome: Browser) -> None:
    async with shop(chrome, rate=1) as there:
        await there.open()
        await there.ask("一")
        await there.box.fill("二")
        await there.box.press("Enter")

        await expect(there.page.get_by_text("秒后会自动重发")).to_be_visible()
        await expect(there.log.get_by_text("二", exact=True)).to_be_visible()


async def test_a_text_that_is_too_long_stays_marked(chrome: Browser) -> None:
    async with shop(chrome, text_characters=20) as there:
        await there.open()
        await there.box.fill("长" * 21)
        await there.box.press("Enter")

        await expect(there.page.get_by_text("未发送：内容太长")).to_be_visible()


async def test_choices_are_pressed_once(chrome: Browser) -> None:
    async with shop(chrome) as there:
        there.desk.answers["转人工"] = CHOICE
        await there.open()
        await there.ask("转人工")
        await there.page.get_by_role("button", name="好的").click()
        await expect(there.answers.last).to_contain_text("答：确认")

        await expect(there.page.get_by_role("button", name="不用")).to_have_count(0)


async def test_a_button_that_was_pressed_shows_its_label_as_the_visitors_words(chrome: Browser) -> None:
    async with shop(chrome) as there:
        choices = (Choice("确认", "Y#12", say="Y"), Choice("取消", "N#12", say="N"))
        there.desk.answers["补开发票"] = Reply("要补开吗？", choices=choices)
        await there.open()
        await there.ask("补开发票")
        await there.page.get_by_role("button", name="确认").click()
        await expect(there.answers.last).to_contain_text("答：Y#12")
        await expect(there.log.locator(".asked").last).to_contain_text("确认")
        await there.page.reload()
        await there.open()
        await expect(there.answers.last).to_contain_text("答：Y#12")

        said = await there.log.locator(".asked p").all_inner_texts()
        assert said == ["补开发票", "确认"]
        assert there.desk.said[-1].text == "Y#12"


async def test_news_are_counted_while_the_panel_is_closed(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("在吗")
        await there.page.keyboard.press("Escape")
        there.desk.hold.set()
        await asyncio.sleep(2.1)  # what comes right after the connection opened counts as history
        await there.desk.say(there.desk.said[0].conversation, Reply("您的包裹到了"))

        await expect(there.page.get_by_role("button", name="打开客服对话，1 条新消息")).to_be_visible()


async def test_two_tabs_show_the_same_conversation(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("第一页")
        other = await there.tab()
        await other.get_by_role("button", name="打开客服对话").click()
        await there.ask("第二问")

        await expect(other.get_by_role("log").get_by_role("article")).to_have_text(
            ["客服: 答：第一页", "客服: 答：第二问"]
        )
        await expect(other.get_by_role("log")).to_contain_text("第二问")
