"""The widget in a real browser, as a guest: of the page, of its visitors, and of those who hear instead of seeing."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect

from hub.message import Choice, Citation, Reply
from tests.channels.h5.browser import LAX, PHONE, shop
from tests.channels.h5.desk import CITED
from tests.channels.h5.test_identity import alice, signed
from tests.channels.h5.test_markup import ATTACKS

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_nothing_is_stored_and_nobody_is_called_before_the_chat_is_opened(chrome: Browser) -> None:
    async with shop(chrome) as there:
        called: list[str] = []
        there.page.on("request", lambda request: called.append(request.url))
        there.page.on("websocket", lambda socket: called.append(socket.url))
        await there.page.reload()
        await there.page.get_by_role("button", name="打开客服对话").wait_for()

        assert await there.page.evaluate("localStorage.length") == 0
        assert await there.context.cookies() == []
        assert called[1:] == [f"{there.hub}/widget.js"]
        assert there.desk.notes == {}


async def test_it_works_by_keyboard_alone(chrome: Browser) -> None:
    async with shop(chrome) as there:
        keys = there.page.keyboard
        await there.page.get_by_role("button", name="打开客服对话").wait_for()
        await there.page.get_by_role("button", name="Buy").focus()
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(there.box).to_be_focused()
        there.desk.answers["一\n二"] = CITED
        for key in ("一", "Shift+Enter", "二", "Enter"):
            await (keys.insert_text(key) if len(key) == 1 else keys.press(key))
        await there.answers.first.wait_for()
        await keys.press("Shift+Tab")
        await keys.press("Enter")
        await expect(there.page.get_by_text("否则运费为八元")).to_be_visible()
        await keys.press("Escape")
        await expect(there.page.get_by_role("dialog")).to_be_hidden()
        await expect(there.page.get_by_role("button", name="打开客服对话")).to_be_focused()

        assert there.desk.said[0].text == "一\n二"


async def test_enter_that_ends_a_composition_sends_nothing(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        typed = await there.context.new_cdp_session(there.page)
        await there.box.focus()
        await typed.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
        await there.box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
        await there.box.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
        await typed.send("Input.insertText", {"text": "你好"})
        await there.box.press("Enter")
        await there.answers.first.wait_for()

        assert [message.text for message in there.desk.said] == ["你好"]


async def test_the_shop_s_shortcuts_do_not_hear_what_is_typed(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.page.evaluate("window.heard = []; addEventListener('keydown', (event) => heard.push(event.key))")
        await there.open()
        await there.box.press_sequentially("s/k")

        assert await there.page.evaluate("heard") == []


async def test_roles_and_names_tell_what_is_what(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("在吗")
        page = there.page

        await expect(page.get_by_role("dialog", name="在线客服")).to_have_attribute("aria-modal", "false")
        await expect(page.get_by_role("log", name="对话记录")).to_be_visible()
        await expect(page.get_by_role("textbox", name="输入您的问题")).to_be_visible()
        await expect(page.get_by_role("button", name="发送")).to_be_disabled()
        await expect(page.get_by_role("heading", name="在线客服")).to_be_visible()
        closers = page.get_by_role("button", name="关闭对话")
        await expect(closers).to_have_count(2)
        await expect(closers.last).to_have_attribute("aria-expanded", "true")
        nameless = await page.evaluate("""() => {
            const all = document.querySelector("agent-hub").shadowRoot.querySelectorAll("button, a, textarea, summary");
            return [...all].filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim())).length;
        }""")
        assert nameless == 0


SMALL = """() => {
    const all = document.querySelector("agent-hub").shadowRoot.querySelectorAll("button, textarea");
    const boxes = [...all].map((node) => node.getBoundingClientRect());
    return boxes.filter(({ width, height }) => width && (width < 36 || height < 36));
}"""


async def test_on_a_phone_it_fills_the_screen_and_keeps_the_focus(chrome: Browser) -> None:
    async with shop(chrome, device=PHONE) as there:
        await there.open()
        await there.ask("在吗")
        dialog = there.page.get_by_role("dialog")
        await dialog.evaluate("(node) => Promise.all(node.getAnimations().map((one) => one.finished))")
        box = await dialog.bounding_box()

        assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
        await expect(dialog).to_have_attribute("aria-modal", "true")
        assert await there.box.evaluate("(node) => getComputedStyle(node).fontSize") == "16px"
        assert await there.page.evaluate("document.documentElement.style.overflow") == "hidden"
        stops = set()
        for _ in range(6):
            await there.page.keyboard.press("Tab")
            stops.add(await there.page.evaluate("document.activeElement.tagName"))
        assert stops == {"AGENT-HUB"}
        assert await there.page.evaluate(SMALL) == []
        await there.page.get_by_role("button", name="关闭对话").click()
        assert await there.page.evaluate("document.documentElement.style.overflow") == ""


async def test_nothing_that_is_said_runs_in_the_page(chrome: Browser) -> None:
    async with shop(chrome, policy=LAX) as there:
        await there.open()
        poison = "\n\n".join(ATTACKS[:-1])
        cited = tuple(Citation(str(n), attack, attack, attack) for n, attack in enumerate(ATTACKS[:-1], 1))
        there.desk.answers[poison.strip()] = Reply(poison, cited)
        await there.ask(poison)
        for summary in await there.page.locator("summary").all():
            await summary.click()
        await there.ask("<img src=x onerror=alert(1)>")
        harmful = there.page.locator("agent-hub").locator("img, script, iframe, object, embed, form[action], [onerror]")
        targets = await there.page.locator("agent-hub a[href]").evaluate_all(
            "(all) => all.map((link) => link.protocol)"
        )

        assert await harmful.count() == 0
        assert {"https:"} <= set(targets) <= {"http:", "https:"}
        assert there.wrong == []


async def test_buttons_and_sources_of_a_hostile_hand_run_nothing_and_stay_in_their_place(chrome: Browser) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202efdp.exe" + "长" * 300 + "W" * 3000
    greeting = "&lt;img src=x onerror=alert(1)&gt;"
    questions = "&lt;b onclick=alert(1)&gt;x|javascript:alert(1)"
    given = f"data-greeting='{greeting}' data-questions='{questions}'"
    async with shop(chrome, policy=LAX, attributes=given) as there:
        cited = (Citation("1", hostile, "javascript:alert(1)", hostile), Citation("<b>", hostile, "//evil.example", ""))
        there.desk.answers["转人工"] = Reply(f"{hostile}[1]", cited, (Choice(hostile, "<b>Y#1"), Choice("", hostile)))
        await there.open()
        await there.page.get_by_role("button", name="<b onclick=alert(1)>x").wait_for()
        await there.ask("转人工")
        for summary in await there.page.locator("summary").all():
            await summary.click()
        wide = await there.log.evaluate(
            "(log) => [log, ...log.querySelectorAll('*')].filter((one) => "
            "one.getBoundingClientRect().right > log.getBoundingClientRect().right + 1)"
            ".map((one) => one.outerHTML.slice(0, 40))"
        )
        await there.page.locator("agent-hub .choices button").last.click()
        await expect(there.answers.last).to_contain_text("答：")

        assert await there.page.locator("agent-hub").locator("img, b:not(summary b), [onclick], [onerror]").count() == 0
        assert await there.page.locator("agent-hub a[href]").count() == 0
        assert "\u202e" not in await there.log.inner_text()
        assert wide == []
        assert there.wrong == []


async def test_html_that_the_hub_did_not_clean_is_cleaned_again(
    chrome: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty = "<p>好<img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>x</a></p>"
    monkeypatch.setattr("channels.h5.protocol.html", lambda text: dirty)
    async with shop(chrome, policy=LAX) as there:
        await there.open()
        await there.ask("在吗")

        inside = there.answers.last.locator(".text")
        assert await inside.inner_html() == "<p>好<a>x</a></p>"
        assert there.wrong == []


async def test_a_browser_that_forbids_storage_still_has_its_conversation(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.page.evaluate("""() => Object.defineProperty(window, "localStorage",
            { get() { throw new DOMException("denied", "SecurityError"); } })""")
        await there.open()
        await there.ask("一")
        await there.ask("二")

        assert there.desk.said[0].conversation == there.desk.said[1].conversation
        assert there.wrong == []


async def test_the_page_names_its_visitor_and_leaves_nothing_of_theirs_behind(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.open()
        await there.ask("匿名说的")
        await there.page.evaluate("(token) => AgentHub.identify(token)", alice())
        await there.ask("我是谁")
        await expect(there.log).not_to_contain_text("匿名说的")
        stored = await there.page.evaluate("JSON.stringify(localStorage)")
        await there.page.evaluate("AgentHub.signOut()")

        await expect(there.log).to_contain_text("匿名说的")
        await expect(there.log).not_to_contain_text("我是谁")
        assert [m.sender.user for m in there.desk.said][1] == "sub:alice"
        assert "sub" not in stored
        assert alice().split(".")[1] not in stored


async def test_an_identity_that_ended_is_fetched_anew(chrome: Browser) -> None:
    soon = int(datetime.now(UTC).timestamp())
    async with shop(chrome, identity_leeway=0) as there:
        await there.page.evaluate(
            """(tokens) => AgentHub.identify(() => {
                document.documentElement.dataset.asked = 4 - tokens.length;
                return tokens.shift();
            })""",
            [alice(-60), signed({"sub": "alice", "exp": soon + 4}), alice()],
        )
        await there.open()
        await expect(there.page.locator("html")).to_have_attribute("data-asked", "3")
        await there.ask("二")

        assert [m.sender.user for m in there.desk.said] == ["sub:alice"]


async def test_an_identity_that_does_not_hold_is_told(chrome: Browser) -> None:
    async with shop(chrome) as there:
        await there.page.evaluate("AgentHub.identify('no.jwt.here')")
        await there.open()

        await expect(there.page.get_by_text("登录状态已失效")).to_be_visible()


async def test_it_speaks_the_language_of_the_page(chrome: Browser) -> None:
    async with shop(chrome, lang="en-GB") as there:
        await there.page.get_by_role("button", name="Open the support chat").click()

        await expect(there.page.get_by_role("dialog", name="Support chat")).to_be_visible()


LOOKS = (
    'data-title="小店客服" data-greeting="欢迎光临" data-questions="在吗|运费多少？" '
    'data-position="left" data-language="zh" data-colour="#ffd54f"'
)


async def test_a_page_may_choose_how_it_looks(chrome: Browser) -> None:
    async with shop(chrome, lang="en", attributes=LOOKS) as there:
        await there.open()
        await there.page.get_by_role("button", name="在吗").click()
        await expect(there.answers).to_contain_text(["答：在吗"])
        await expect(there.page.get_by_role("button", name="运费多少？")).to_have_count(0)
        await expect(there.page.get_by_role("dialog", name="小店客服")).to_be_visible()
        await expect(there.log).to_contain_text("欢迎光临")
        box = await there.page.get_by_role("dialog").bounding_box()

        assert box
        assert box["x"] < 40
        assert there.wrong == []


CONTRAST = """() => {
    const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const faint = [];
    for (const node of document.querySelector("agent-hub").shadowRoot.querySelectorAll("*")) {
        const words = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
        if (!words || !node.getClientRects().length || node.closest(".sr") || node.disabled) continue;
        const [low, high] = [light(parse(getComputedStyle(node).color)), light(ground(node))].sort((a, b) => a - b);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4.5) faint.push(`${node.tagName}.${node.className} ${node.textContent} ${ratio}`);
    }
    return faint;
}"""


@pytest.mark.parametrize("colour", ["", "#ffd54f", "white"])
async def test_all_words_can_be_read_by_day_and_by_night(chrome: Browser, colour: str) -> None:
    async with shop(chrome, attributes=f'data-colour="{colour}"' if colour else "") as there:
        there.desk.answers["运费多少？"] = CITED
        await there.open()
        await there.ask("运费多少？")
        await there.page.get_by_text("配送说明").click()
        await there.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        by_day = await there.page.evaluate(CONTRAST)
        await there.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        by_night = await there.page.evaluate(CONTRAST)

        assert (by_day, by_night) == ([], [])
