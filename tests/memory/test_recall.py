"""How much of what people told comes back when they ask. See tests/memory/recall.py."""

import asyncio

import pytest

from tests.memory.recall import EACH, KINDS, Rates, cases, measure


@pytest.fixture(scope="module")
def rates() -> Rates:
    return asyncio.run(measure())


def test_there_are_two_hundred_questions_of_five_kinds() -> None:
    assert len(list(cases())) == EACH * len(KINDS) == 200


@pytest.mark.parametrize(
    ("kind", "least"), [("single", 0.85), ("updated", 0.8), ("channels", 0.75), ("time", 0.95), ("never", 1.0)]
)
def test_what_was_told_is_recalled(rates: Rates, kind: str, least: float) -> None:
    assert rates.rate(kind) >= least
