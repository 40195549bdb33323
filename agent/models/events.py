"""Server-sent events out of a response's bytes, bounded: a model that never stops talking is cut off."""

from collections.abc import AsyncIterator, Iterable, Iterator

import aiohttp

from agent.engine import EngineFailed

MOST = 4 << 20
"""Bytes that one answer may have on the wire; an answer of 2000 tokens has about half a megabyte."""


async def data(response: aiohttp.ClientResponse) -> AsyncIterator[list[str]]:
    """The data of the events that came together. https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    rest, size, lines = b"", 0, list[str]()
    async for chunk in response.content.iter_any():
        size = _bounded(size + len(chunk))
        *whole, rest = (rest + chunk).split(b"\n")
        if came := list(_events(whole, lines)):
            yield came
    if came := list(_events([rest, b""], lines)):
        yield came


def _events(whole: Iterable[bytes], lines: list[str]) -> Iterator[str]:
    """The data of the events that end within these lines; `lines` holds that of the one that has not ended."""
    for line in whole:
        line = line.removesuffix(b"\r")
        if line.startswith(b"data:"):
            lines.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
        elif not line and lines:
            yield "\n".join(lines)
            lines.clear()


async def body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body of an answer that is no stream."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size = _bounded(size + len(chunk))
    return b"".join(chunks)


def _bounded(size: int) -> int:
    if size > MOST:
        raise EngineFailed("too_long")
    return size
