"""The widget in a real browser on small screens and without a mouse: nothing is squeezed or out of reach."""

import pytest
from playwright.async_api import Browser, expect

from hub.message import Reply
from tests.channels.h5.browser import PHONE, shop

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLE = """| 型号 | 价格 | 保修期限 | 适用面积（平方米） | 说明 |
|---|---|---|---|---|
| QH-AIR-2000-PRO-MAX | 1999.00元 | 两年整机 | 40–60 | 含上门安装 |"""
LINES = """(cells) => cells.map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return [cell.textContent, new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size];
})"""


async def test_a_wide_table_is_scrolled_and_not_squeezed(chrome: Browser) -> None:
    async with shop(chrome, device=PHONE) as there:
        there.desk.answers["价格"] = Reply(TABLE)
        await there.open()
        await there.ask("价格")
        lines = dict(await there.page.locator("agent-hub td, agent-hub th").evaluate_all(LINES))
        wide = await there.page.locator("agent-hub .table").evaluate("(box) => box.scrollWidth > box.clientWidth")
        whole = await there.page.locator("agent-hub .scroll").evaluate("(box) => box.scrollWidth <= box.clientWidth")

        assert {name: lines[name] for name in ("价格", "1999.00元", "保修期限", "两年整机", "40–60")} == {
            "价格": 1,
            "1999.00元": 1,
            "保修期限": 1,
            "两年整机": 1,
            "40–60": 1,
        }
        assert (wide, whole) == (True, True)


async def test_the_keyboard_scrolls_back_through_what_was_said(chrome: Browser) -> None:
    async with shop(chrome) as there:
        there.desk.answers["长"] = Reply("\n\n".join(f"第{n}段。" for n in range(60)))
        await there.open()
        await there.ask("长")
        scroll = there.page.locator("agent-hub .scroll")
        end = await scroll.evaluate("(box) => box.scrollTop")
        await there.page.keyboard.press("Shift+Tab")
        await expect(there.log).to_be_focused()
        ring = await scroll.evaluate("(box) => getComputedStyle(box).outlineStyle")
        await there.page.keyboard.press("PageUp")
        await there.page.wait_for_function(
            "(end) => document.querySelector('agent-hub').shadowRoot.querySelector('.scroll').scrollTop < end - 100",
            arg=end,
        )

        assert ring == "solid"


async def test_when_a_keyboard_makes_the_screen_lower_the_last_words_stay_in_sight(chrome: Browser) -> None:
    async with shop(chrome, device=PHONE) as there:
        there.desk.answers["长"] = Reply("\n\n".join(f"第{n}段。" for n in range(60)))
        await there.open()
        await there.ask("长")
        await there.page.set_viewport_size({"width": 390, "height": 430})

        await expect(there.page.get_by_text("第59段。", exact=True)).to_be_in_viewport()
        await expect(there.box).to_be_in_viewport(ratio=1)


async def test_whoever_enlarges_with_two_fingers_gets_no_smaller_panel(chrome: Browser) -> None:
    async with shop(chrome, device=PHONE) as there:
        await there.open()
        await there.ask("在吗")
        fingers = await there.context.new_cdp_session(there.page)
        await fingers.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
        await there.page.wait_for_function("visualViewport.scale === 2")
        await there.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
        height = await there.page.get_by_role("dialog").evaluate("(node) => node.getBoundingClientRect().height")

        assert height == pytest.approx(844, abs=2)
