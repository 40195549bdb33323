"""The page at /: the widget, and what is configured, without secrets. On loopback, or where the operator wants it."""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from html import escape
from string import Template

from aiohttp import web

from channels.h5.origins import language
from channels.h5.script import STATIC
from config import Config
from hub.person import Language
from hub.texts import texts

LANGUAGES: tuple[Language, ...] = ("zh", "en")

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Demo:
    """The page in each language, made once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pages: dict[Language, str] = {}
        self._policy = ""

    async def serve(self, request: web.Request) -> web.Response:
        """The handler of /."""
        if not self._pages:
            self._pages, self._policy = await asyncio.to_thread(_pages, self._config)
        headers = {
            "Content-Security-Policy": self._policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
            "Vary": "Accept-Language",
        }
        return web.Response(text=self._pages[language(request)], content_type="text/html", headers=headers)


def demo(config: Config) -> Handler:
    """The handler of / for this configuration."""
    return Demo(config).serve


def _pages(config: Config) -> tuple[dict[Language, str], str]:
    """The page in each language, and the policy that lets it load nothing but our own script and style."""
    style = (STATIC / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'sha256-{digest}'; connect-src 'self' ws: wss:; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {name: _page(name, {"style": style, **_shown(config, name)}) for name in LANGUAGES}, policy


def _page(name: Language, values: dict[str, str]) -> str:
    return Template((STATIC / f"page.{name}.html").read_text(encoding="utf-8")).substitute(values)


def _shown(config: Config, name: Language) -> dict[str, str]:
    """What the templates show, escaped."""
    web_names = [name for name, section in config.channels.items() if section.kind == "h5"]
    base = config.hub.public_url or f"http://{config.hub.host}:{config.hub.port}"
    model = config.agent.model
    named = texts(name).web.no_model if model.provider == "none" else f"{model.provider} · {model.name}"
    widget = f"/channels/{web_names[0]}/widget.js" if web_names else ""
    return {
        "script": f'<script src="{widget}" async></script>' if widget else "",
        "embed": escape(f'<script src="{base}{widget or "/channels/NAME/widget.js"}" async></script>'),
        "channels": _rows((name, section.kind) for name, section in config.channels.items()),
        "count": str(len(config.channels)),
        "engine": escape(config.agent.engine),
        "model": escape(named),
        "sources": escape(", ".join(source.name for source in config.knowledge.sources)) or "–",
    }


def _rows(channels: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f"<li><b>{escape(name)}</b><span>{escape(kind)}</span><code>/channels/{escape(name)}</code></li>"
        for name, kind in channels
    )
