"""A real browser on a shop's page that embeds the widget from the hub; the two have different origins."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.channels.callback import serving
from tests.channels.h5.desk import Desk, site

HOW = "no chromium here: apt-get install chromium (or name one in CHROMIUM)"
PATIENCE = 20_000
"""Milliseconds; a busy machine is no fault of the widget."""
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SHOP = """<!doctype html>
<html lang="{lang}"><head><title>Shop</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>Shop</h1><button>Buy</button><script src="{hub}/widget.js" async {attributes}></script></body></html>"""
STRICT = (
    "default-src 'none'; script-src {hub}; connect-src {hub} {socket}; img-src data:; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types agent-hub"
)
"""What a careful shop allows: the hub's script and its connections, no inline style, no inline script."""
LAX = "default-src * data: 'unsafe-inline'"
"""A policy that stops nothing: what does not run here does not run anywhere."""


def chromium() -> str:
    """Its path; skips without one, or fails in CI."""
    path = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if path is None and os.environ.get("CI"):
        pytest.fail(HOW)
    if path is None:
        pytest.skip(HOW)
    return path


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser of its own."""
    path = chromium()
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            await opened.close()


@dataclass
class Shop:
    """The page, as a visitor sees it, and what went wrong on it."""

    desk: Desk
    hub: str
    address: str
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", self._alert)

    async def _alert(self, dialog: Any) -> None:
        self.wrong.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def answers(self) -> Locator:
        return self.log.get_by_role("article")

    async def open(self) -> None:
        """Presses the button in the corner."""
        await self.page.get_by_role("button", name="打开客服对话").click()

    async def ask(self, text: str) -> None:
        """Types it, and waits for one answer more."""
        before = await self.answers.count()
        await self.box.fill(text)
        await self.box.press("Enter")
        await self.answers.nth(before).wait_for()

    async def tab(self) -> Page:
        """Another tab of the same browser on the same page."""
        page = await self.context.new_page()
        self.watch(page)
        await page.goto(self.address)
        return page


@asynccontextmanager
async def shop(
    browser: Browser,
    *,
    lang: str = "zh-CN",
    attributes: str = "",
    policy: str = STRICT,
    device: Any = None,
    **changed: Any,
) -> AsyncIterator[Shop]:
    """A shop that is open. `changed` are settings of the channel."""
    async with AsyncExitStack() as stack:
        pages: dict[str, str] = {}

        async def show(_: web.Request) -> web.Response:
            headers = {"Content-Security-Policy": pages["policy"]}
            return web.Response(text=pages["shop"], content_type="text/html", headers=headers)

        address = await stack.enter_async_context(serving([web.get("/", show)]))
        desk, hub = await stack.enter_async_context(site(allowed_origins=(address,), **changed))
        origin = hub.removesuffix("/channels/web")
        pages["shop"] = SHOP.format(lang=lang, hub=hub, attributes=attributes)
        pages["policy"] = policy.format(hub=origin, socket=origin.replace("http", "ws"))
        context = await browser.new_context(locale="zh-CN", **(device or {}))
        stack.push_async_callback(context.close)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        made = Shop(desk, hub, address, context, page)
        made.watch(page)
        await page.goto(address)
        yield made
