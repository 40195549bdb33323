"""Server-sent events out of a response's bytes, bounded: a model that never stops talking is cut off."""

from collections.abc import AsyncIterator

import aiohttp

from agent.engine import EngineFailed

MOST = 4 << 20
"""Bytes that one answer may have on the wire; an answer of 2000 tokens has about half a megabyte."""


async def data(response: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The data of each event. https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    lines: list[str] = []
    async for line in _lines(response):
        if line.startswith(b"data:"):
            lines.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
        elif not line and lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


async def body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body of an answer that is no stream."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size = _bounded(size + len(chunk))
    return b"".join(chunks)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    rest, size = b"", 0
    async for chunk in response.content.iter_any():
        size = _bounded(size + len(chunk))
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
    if rest:
        yield rest


def _bounded(size: int) -> int:
    if size > MOST:
        raise EngineFailed("too_long")
    return size
