"""What is secret, and what people say, shows nowhere."""

import logging
from functools import partial

import pytest
import structlog
from aiohttp import web

from hub.errors import DeliveryError
from hub.message import Media, OutboundMessage
from tests.channels.conformance.case import Case
from tests.channels.conformance.world import TOKEN, World

WORDS = "只有我们两个人知道的事"


def test_settings_show_no_secret(case: Case) -> None:
    settings = case.settings("http://127.0.0.1:1")
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"

    assert [secret for secret in case.secrets if secret in shown] == []


async def test_logs_show_no_secret_and_no_words(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    errors = []
    with structlog.testing.capture_logs() as logs:
        message = await world.hear(WORDS)
        for forged in list(world.case.forged(world.call(WORDS)))[:5]:
            await world.status(forged)
        await world.status(world.case.sign(f'{{"text":"{WORDS}"'.encode()))
        world.storage(broken=True)
        await world.status(world.call(WORDS))
        for failure in (500, 403, 200):
            world.api.fails = partial(answer, failure)
            errors.append(await send(world, world.reply(message, WORDS)))
        world.api.fails = cut
        errors += [await send(world, world.reply(message, WORDS)), await fetch(world)]
        await world.api.away.aclose()
        errors += [await send(world, world.reply(message, WORDS)), await fetch(world)]
    shown = f"{logs} {caplog.text} {errors}"

    assert [secret for secret in (*world.case.secrets, TOKEN, WORDS) if secret in shown] == []


def answer(status: int, request: web.Request) -> web.Response:
    """What a broken platform might say: our own words back."""
    return web.Response(status=status, text=WORDS)


def cut(request: web.Request) -> web.Response:
    """The connection breaks: what the library says of that names the address, and tokens stand in addresses."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def fetch(world: World) -> str:
    """What is raised where a file can't be fetched."""
    with pytest.raises(DeliveryError) as caught:
        await world.channel.fetch(Media("file", "m1/k1"))
    return f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


async def send(world: World, reply: OutboundMessage) -> str:
    """Sends it; what was raised, as a log would show it."""
    try:
        await world.channel.send(reply)
    except DeliveryError as error:
        return f"{error} {error!r}"
    return ""
