"""Every test of this folder runs once for each case of each kind of channel."""

from collections.abc import AsyncIterator

import pytest

from tests.channels.conformance.case import Case
from tests.channels.conformance.world import World, cases, opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`case` is each of them in turn."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=str)


@pytest.fixture
async def world(case: Case) -> AsyncIterator[World]:
    """A channel of this kind, on loopback."""
    async with opened(case) as world:
        yield world
