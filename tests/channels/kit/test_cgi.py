"""What an answer with an errcode means, and how a token is asked for."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from channels.kit.api import Outcome
from channels.kit.cgi import MEANINGS, Cgi, Codes
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible, Unknown
from tests.channels.callback import Warnings
from tests.fakes import fake_site

CODES = Codes({**MEANINGS, 40164: "blocked"}, {40164: "add {ip}"})


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def meaning(body: dict[str, Any], status: int = 200) -> DeliveryError | None:
    return CODES.error(Outcome(status, body))


@pytest.mark.parametrize("body", [{"errcode": 0}, {"access_token": "t"}, {"errcode": 0, "errmsg": "ok"}])
def test_a_success_is_no_error(body: dict[str, Any]) -> None:
    assert meaning(body) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, Unknown),
        ({"errcode": "0"}, Faulty),
        ({"errcode": None}, Faulty),
        ({"errcode": -1}, Faulty),
        ({"errcode": 45009}, Faulty),
        ({"errcode": 40013}, Blocked),
        ({"errcode": 45002}, Impossible),
        ({"errcode": 41777}, Impossible),
        ({"errcode": 88888}, Closed),
    ],
)
def test_every_other_answer_says_who_must_act(body: dict[str, Any], kind: type[DeliveryError]) -> None:
    assert type(meaning(body)) is kind


def test_a_status_that_is_not_200_is_a_fault_whatever_the_body_says() -> None:
    assert isinstance(meaning({"errcode": 0}, 404), Faulty)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("invalid ip 1.2.3.4, not in whitelist", "add 1.2.3.4"),
        ("invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist", "add 1.2.3.4"),
        ("from ip: 2408:8207:1850:2f10::1, more info", "add 2408:8207:1850:2f10::1"),
        ("version 1.2.3 is no address", "add the address of this server"),
    ],
)
def test_the_address_that_the_platform_saw_is_named(said: str, advice: str) -> None:
    error = meaning({"errcode": 40164, "errmsg": said})

    assert isinstance(error, Blocked)
    assert error.advice == advice


class Fetch:
    """Answers a token call with what a test wants."""

    def __init__(self, answer: Outcome | DeliveryError) -> None:
        self.answer = answer
        self.calls = 0

    async def __call__(self, worn: bool) -> Outcome:
        self.calls += 1
        if isinstance(self.answer, DeliveryError):
            raise self.answer
        return self.answer


def cgi(http: aiohttp.ClientSession, fetch: Fetch, clock: list[float], warnings: Warnings) -> Cgi:
    site = fake_site(http, warn=warnings)
    return Cgi(
        site,
        "http://127.0.0.1:9",
        token="t",
        fetch=fetch,
        codes=CODES,
        token_codes=CODES,
        pause=30,
        timeout=1,
        clock=lambda: clock[0],
    )


@pytest.mark.parametrize(
    "answer",
    [
        Outcome(200, {}),
        Outcome(200, {"errcode": 88888}),
        Outcome(200, {"errcode": 45002}),
        Outcome(200, {"access_token": "", "expires_in": 7200}),
        Outcome(200, {"access_token": "t", "expires_in": "7200"}),
        Unknown("no answer"),
        Faulty("HTTP 500"),
    ],
)
async def test_without_a_token_nothing_was_sent_so_that_it_is_tried_again(
    http: aiohttp.ClientSession, answer: Outcome | DeliveryError
) -> None:
    with pytest.raises(Faulty):
        await cgi(http, Fetch(answer), [0.0], Warnings()).call("POST", "/cgi-bin/x", {})


async def test_a_refused_address_is_not_brought_again_for_a_while(http: aiohttp.ClientSession) -> None:
    fetch, clock, warnings = Fetch(Outcome(200, {"errcode": 40164, "errmsg": "ip 1.2.3.4"})), [0.0], Warnings()
    api = cgi(http, fetch, clock, warnings)
    for clock[0] in (0.0, 10.0, 29.0):
        with pytest.raises(Blocked, match="40164"):
            await api.fetch()
    assert (fetch.calls, warnings.shown) == (1, {"api": "errcode 40164: ip 1.2.3.4. add 1.2.3.4"})

    clock[0], fetch.answer = 31.0, Outcome(200, {"access_token": "t", "expires_in": 7200})
    assert (await api.fetch()).value == "t"
