"""A directory is asked once a day for each member, and never stands in the way of an answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from channels.kit import directory
from channels.kit.directory import Directory, reached
from hub.errors import Faulty
from hub.person import Evidence
from tests.fakes import fake_site

MING = (Evidence("email", "ming@example.com"),)


class Office:
    """A directory that is asked, with a clock that moves."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.now = datetime(2026, 11, 25, tzinfo=UTC)
        self.asked: list[str] = []
        self.down = False
        self.site = fake_site(http, "staff", clock=lambda: self.now)
        self.directory = Directory(self.site, self._ask, asked=True)

    async def _ask(self, member: str) -> tuple[Evidence, ...]:
        self.asked.append(member)
        if self.down:
            raise Faulty("no connection", code="connection")
        return MING


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with aiohttp.ClientSession() as http:
        yield Office(http)


async def test_a_member_is_asked_for_once_a_day(office: Office) -> None:
    assert [await office.directory.vouch("ming") for _ in range(2)] == [MING, MING]
    office.now += timedelta(days=1, seconds=1)
    await office.directory.vouch("ming")

    assert office.asked == ["ming", "ming"]


async def test_what_does_not_answer_is_left_alone_for_a_while(office: Office) -> None:
    office.down = True
    assert [await office.directory.vouch("ming") for _ in range(2)] == [(), ()]
    office.down = False
    office.now += timedelta(minutes=10, seconds=1)

    assert await office.directory.vouch("ming") == MING
    assert office.asked == ["ming", "ming"]


async def test_nobody_waits_for_a_directory_that_hangs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(member: str) -> tuple[Evidence, ...]:
        await asyncio.Event().wait()
        return MING

    monkeypatch.setattr(directory, "PATIENCE", 0.01)

    assert await Directory(office.site, hangs, asked=True).vouch("ming") == ()


async def test_it_is_asked_only_where_the_operator_says_so_and_not_too_often(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await Directory(office.site, office._ask, asked=False).vouch("ming") == ()
    monkeypatch.setattr(directory, "A_MINUTE", 2)
    found = [await office.directory.vouch(member) for member in ("a", "b", "c")]

    assert (found, office.asked) == ([MING, MING, ()], ["a", "b"])


def test_addresses_and_numbers_have_one_form_in_all_directories() -> None:
    feishu = reached(
        {"enterprise_email": "", "email": "Ming@Example.com", "mobile": "+86 138-1234-0001"},
        email=("enterprise_email", "email"),
    )
    wecom = reached({"biz_mail": "ming@example.com", "mobile": "13812340001"}, email=("biz_mail", "email"))

    assert feishu == wecom == (Evidence("email", "ming@example.com"), Evidence("mobile", "13812340001"))


@pytest.mark.parametrize("member", [{}, {"email": "none", "mobile": ""}, {"mobile": "138****0001"}, {"mobile": "110"}])
def test_what_is_hidden_or_no_address_proves_nothing(member: dict[str, str]) -> None:
    assert reached(member, email=("email",)) == ()
