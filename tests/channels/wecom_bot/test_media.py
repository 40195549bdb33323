"""Files that people send."""

import base64
import json
import os

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from channels.wecom_bot.media import decrypt
from hub.errors import DeliveryError, Impossible
from hub.message import Media
from tests.channels.wecom_bot.conftest import KEY, Make, World


def sealed(plain: bytes, key: bytes) -> bytes:
    """As WeCom encrypts a file."""
    padding = 32 - len(plain) % 32
    box = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    return box.update(plain + bytes([padding]) * padding) + box.finalize()


async def fetched(w: World, body: bytes, *, status: int = 200, **file: str) -> bytes:
    """What the channel makes of a file that is served with this body."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    app = web.Application()
    app.add_routes([web.get("/file", serve)])
    async with TestServer(app) as server:
        url = str(server.make_url("/file"))
        w.channel.settings.__dict__["api_base"] = str(server.make_url("")).rstrip("/")
        return await w.channel.fetch(Media("image", json.dumps({"url": url, **file})))


@pytest.mark.parametrize("size", [0, 1, 31, 32, 1000])
async def test_a_file_is_opened_with_the_key_of_the_callback(bot: World, size: int) -> None:
    plain = os.urandom(size)

    assert await fetched(bot, sealed(plain, base64.b64decode(KEY + "="))) == plain


async def test_a_file_with_a_key_of_its_own_is_opened_with_that(bot: World) -> None:
    key = os.urandom(32)

    assert await fetched(bot, sealed(b"picture", key), aeskey=base64.b64encode(key).decode()) == b"picture"


@pytest.mark.parametrize("body", [b"", b"x" * 31, b"x" * 32, b"x" * 64])
async def test_a_file_that_is_not_sealed_is_not_opened(bot: World, body: bytes) -> None:
    with pytest.raises(Impossible):
        await fetched(bot, body)


@pytest.mark.parametrize("key", ["", "short", "!" * 43])
def test_a_key_that_is_none_opens_nothing(key: str) -> None:
    with pytest.raises(Impossible):
        decrypt(b"x" * 32, key)


async def test_a_file_that_is_too_large_is_not_read(world: Make) -> None:
    w = await world(media_bytes=100)

    with pytest.raises(Impossible):
        await fetched(w, b"x" * 1000)


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_file_that_is_gone_is_an_error(bot: World, status: int) -> None:
    with pytest.raises(DeliveryError):
        await fetched(bot, b"", status=status)


@pytest.mark.parametrize("reference", ["", '{"url": "http://127.0.0.1:9/x"}', '{"url": "https://evil.example/x"}'])
async def test_a_file_on_a_foreign_host_is_not_fetched(bot: World, reference: str) -> None:
    with pytest.raises(Impossible):
        await bot.channel.fetch(Media("image", reference))
