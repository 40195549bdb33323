"""widget.js as it is served: the files of static/widget in one script, without a build step."""

import asyncio
import hashlib
import json
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
PARTS = (
    *("texts.js", "dom.js", "colour.js", "store.js", "transport.js", "conversation.js"),
    *("messages.js", "panel.js", "widget.js"),
)
"""In this order; they share one scope, which is closed to the page."""
HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


def bundle(folder: Path = STATIC / "widget") -> str:
    """The whole script."""
    style = json.dumps((folder / "widget.css").read_text(encoding="utf-8"), ensure_ascii=False)
    parts = "\n".join((folder / name).read_text(encoding="utf-8") for name in PARTS)
    return f'(() => {{\n"use strict";\nconst STYLE = {style};\n{parts}\n}})();\n'


class Script:
    """The script, read once. Any page may load it; it is whom it speaks to that decides."""

    def __init__(self) -> None:
        self._text = ""
        self._etag = ""

    async def serve(self, request: web.Request) -> web.Response:
        """The handler of …/widget.js."""
        if not self._text:
            self._text = await asyncio.to_thread(bundle)
            self._etag = hashlib.sha256(self._text.encode()).hexdigest()[:32]
        known = any(tag.value in (self._etag, "*") for tag in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(text=self._text, content_type="text/javascript")
        response.headers.update(HEADERS)
        response.etag = self._etag
        if not known:
            response.enable_compression()
        return response
