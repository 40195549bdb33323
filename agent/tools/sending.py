"""One HTTP request of a tool: to a checked address, no redirect followed, the answer read as far as it may be long."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from agent.engine import ToolFailed
from agent.tools.address import UNREACHABLE, addresses
from agent.tools.shown import readable, trimmed
from agent.tools.tool import Unsure

MOST = 1 << 20
"""Bytes of an answer."""
SAID = 300
"""Characters of a refusal that a model is told."""
TRIED = 3
"""Addresses of a host that are tried."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `url` is complete and encoded; `body` is a JSON value, None for none."""

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None


async def send(http: aiohttp.ClientSession, request: Request, *, private: bool) -> object:
    """The answer as a JSON value, None for 404. Raises ToolFailed, and Unsure where it may have had an effect."""
    url = request.url
    found = await addresses(url.host or "", url.port or 0, private=private)
    for address in found[:TRIED]:
        try:
            return await _sent(http, request, address)
        except aiohttp.ClientConnectorError:
            continue
        except (aiohttp.ClientError, OSError):
            raise Unsure(UNREACHABLE) from None
    raise ToolFailed(UNREACHABLE)


async def _sent(http: aiohttp.ClientSession, request: Request, address: str) -> object:
    url = request.url
    headers = {"Accept": "application/json", **request.headers, "Host": url.raw_authority.rpartition("@")[2]}
    async with http.request(
        request.method,
        url.with_host(address),
        headers=headers,
        json=request.body,
        allow_redirects=False,
        server_hostname=url.host if url.scheme == "https" else None,
    ) as response:
        return _answer(response.status, response.content_type, await _read(response), response.charset or "utf-8")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > MOST:
            raise ToolFailed("结果太长，无法读取。")
    return bytes(body)


def _answer(status: int, kind: str, body: bytes, charset: str) -> object:
    match status:
        case 404:
            return None
        case _ if status >= 500:
            raise Unsure(f"服务器出错（{status}）。")
        case _ if status >= 400:
            raise ToolFailed(f"被拒绝（{status}）：{_short(_value(kind, body, charset))}")
        case _ if status >= 300:
            raise ToolFailed(f"服务器转向别处（{status}），没有跟随。")
    return _value(kind, body, charset)


def _value(kind: str, body: bytes, charset: str) -> Any:
    """What the body says: JSON, or a text."""
    if not body:
        return {}
    try:
        text = body.decode(charset)
        return json.loads(text) if kind.endswith("json") else text
    except (ValueError, LookupError, RecursionError):
        raise ToolFailed("无法读懂结果。") from None


def _short(value: object) -> str:
    """A refusal, as data inside one line."""
    return " ".join(readable(trimmed(value)).split())[:SAID].replace("<", "‹")


async def reachable(url: URL, *, private: bool, seconds: float = 5) -> None:
    """Connects and says nothing. Raises ToolFailed."""
    for address in await addresses(url.host or "", url.port or 0, private=private):
        https = url.scheme == "https"
        try:
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(
                    address, url.port, ssl=True if https else None, server_hostname=url.host if https else None
                )
            writer.close()
        except (OSError, TimeoutError):
            continue
        return
    raise ToolFailed(UNREACHABLE)
