"""Fetches a file from a platform: of bounded size, and never from where a redirect leads."""

from collections.abc import Mapping

import aiohttp

from hub.errors import Faulty, Impossible


async def download(
    http: aiohttp.ClientSession, url: str, *, most: int, seconds: float, headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes behind `url`, whose host the caller has looked at. Raises Faulty and Impossible."""
    limit = aiohttp.ClientTimeout(total=seconds)
    try:
        async with http.get(url, headers=headers, allow_redirects=False, timeout=limit) as response:
            if response.status == 429 or response.status >= 500:
                raise Faulty(f"HTTP {response.status}", code=str(response.status))
            if response.status != 200:
                raise Impossible(f"HTTP {response.status}", code=str(response.status))
            return await _bounded(response, most)
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
