"""Fetches a file from a platform: of bounded size, and never from where a redirect leads."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from hub.errors import Faulty, Impossible


@dataclass(frozen=True, slots=True)
class Received:
    """What came; `attached`: the answer itself says that it is a file."""

    raw: bytes
    attached: bool


async def download(
    http: aiohttp.ClientSession, url: str, *, most: int, seconds: float, headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes behind `url`, whose host the caller has looked at. Raises Faulty and Impossible."""
    return (await receive(http, url, most=most, seconds=seconds, headers=headers)).raw


async def receive(
    http: aiohttp.ClientSession,
    url: str,
    *,
    most: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Received:
    """As `download`, where what comes may be no file."""
    limit = aiohttp.ClientTimeout(total=seconds)
    try:
        async with http.get(url, headers=headers, params=query, allow_redirects=False, timeout=limit) as response:
            if response.status == 429 or response.status >= 500:
                raise Faulty(f"HTTP {response.status}", code=str(response.status))
            if response.status != 200:
                raise Impossible(f"HTTP {response.status}", code=str(response.status))
            attached = response.headers.get("Content-Disposition", "").startswith("attachment")
            return Received(await _bounded(response, most), attached)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Faulty(f"no file ({type(error).__name__})", code="connection") from None


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    if (response.content_length or 0) > most:
        raise Impossible(f"the file has more than {most} bytes", code="too_large")
    read = bytearray()
    async for chunk in response.content.iter_any():
        read += chunk
        if len(read) > most:
            raise Impossible(f"the file has more than {most} bytes", code="too_large")
    return bytes(read)
