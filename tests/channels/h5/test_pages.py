"""What browsers fetch: the script, and the page at /."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import expect

from channels.h5.page import demo
from channels.h5.script import PARTS, STATIC, bundle
from channels.registry import KINDS, section
from config import Config
from config import load as read
from tests.channels.callback import serving
from tests.channels.h5.browser import browser
from tests.channels.h5.desk import CITED, SECRET, Desk, channel, site

TOML = """[hub]
port = 8123
public_url = "https://hub.example"
[agent.model]
provider = "openai"
name = "<b>model</b>"
base_url = "http://127.0.0.1:1/v1"
api_key = "env:PAGE_SECRET"
[channels.web]
kind = "h5"
allowed_origins = ["https://shop.example"]
identity_secret = "env:PAGE_SECRET"
[channels.oa]
kind = "wechat_oa"
app_id = "wx1"
app_secret = "env:PAGE_SECRET"
token = "env:PAGE_SECRET"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("PAGE_SECRET", SECRET)
    (tmp_path / "hub.toml").write_text(TOML, encoding="utf-8")
    return read(tmp_path / "hub.toml", {kind: partial(section, kind) for kind in KINDS})


async def fetched(url: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as response:
        return response, await response.text()


async def test_the_script_is_one_file_that_any_page_may_load() -> None:
    async with site() as (_, base):
        response, text = await fetched(f"{base}/widget.js", Origin="https://anybody.example")

    assert response.content_type == "text/javascript"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Content-Encoding"] in ("gzip", "deflate")
    assert text == bundle()
    assert SECRET not in text


async def test_a_script_that_did_not_change_is_not_sent_again() -> None:
    async with site() as (_, base):
        first, _ = await fetched(f"{base}/widget.js")
        again, text = await fetched(f"{base}/widget.js", **{"If-None-Match": first.headers["ETag"]})
        other, _ = await fetched(f"{base}/widget.js", **{"If-None-Match": '"another"'})

    assert (again.status, text, other.status) == (304, "", 200)


def test_every_part_of_the_script_is_served() -> None:
    assert sorted(PARTS) == sorted(path.name for path in (STATIC / "widget").glob("*.js"))


def test_the_script_needs_nothing_that_a_strict_policy_forbids() -> None:
    code = bundle()

    assert not re.search(r"\b(eval|Function)\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.cssText", code)
    assert "http://" not in code.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("language", "words"), [("zh-CN", "一个中枢，所有渠道"), ("en", "One hub, every channel"), ("fr", "一个中枢")]
)
async def test_the_page_shows_what_is_configured_and_no_secret(config: Config, language: str, words: str) -> None:
    async with serving([web.get("/", demo(config))]) as base:
        response, text = await fetched(f"{base}/", **{"Accept-Language": language})

    assert response.status == 200
    assert words in text
    assert '<script src="/channels/web/widget.js" async></script>' in text
    assert "&lt;script src=&quot;https://hub.example/channels/web/widget.js&quot; async&gt;" in text
    assert "<code>/channels/oa</code>" in text
    assert "openai · &lt;b&gt;model&lt;/b&gt;" in text
    assert SECRET not in text
    assert "PAGE_SECRET" not in text
    assert "$" not in text


async def test_the_page_works_under_its_own_policy(config: Config) -> None:
    wrong: list[str] = []
    handlers: dict[str, Any] = {"/": demo(config)}

    async def answer(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await handlers[request.path](request)
        return response

    desk = Desk(answers={"运费？": CITED})
    async with browser() as chrome, aiohttp.ClientSession() as http, serving([web.get("/{any:.*}", answer)]) as own:
        made = channel(desk, http, allowed_origins=(own,))
        handlers |= {route.path: route.handler for route in made.routes() if isinstance(route, web.RouteDef)}
        page = await chrome.new_page(locale="zh-CN")
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        await page.goto(own)
        await page.get_by_role("button", name="打开客服对话").click()
        await page.get_by_role("textbox").fill("运费？")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("article")).to_contain_text("99 元")
        await made.close()

    assert wrong == []
