"""What is left for each person, as far as we know."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.kit import allowance
from channels.kit.allowance import Allowance
from hub.errors import Closed


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def spent(ledger: Allowance, person: str, most: int = 10) -> int:
    """How many messages go through."""
    for count in range(most):
        try:
            ledger.spend(person)
        except Closed:
            return count
    return most


def test_every_message_of_a_person_begins_a_new_count() -> None:
    ledger = Allowance(window=60, quota=3, clock=Clock())
    ledger.wrote("a")
    assert spent(ledger, "a") == 3

    ledger.wrote("a")
    assert spent(ledger, "a") == 3


def test_people_are_counted_apart_and_strangers_are_tried() -> None:
    ledger = Allowance(window=60, quota=3, clock=Clock())
    ledger.wrote("a")
    spent(ledger, "a")

    assert spent(ledger, "b") == 3


def test_after_the_window_nothing_is_tried() -> None:
    clock = Clock()
    ledger = Allowance(window=60, quota=3, clock=clock)
    ledger.wrote("a")
    clock.now += timedelta(seconds=61)

    with pytest.raises(Closed):
        ledger.spend("a")


def test_what_was_not_taken_is_given_back_but_never_more_than_there_was() -> None:
    ledger = Allowance(window=60, quota=3, clock=Clock())
    ledger.wrote("a")
    ledger.spend("a")
    for _ in range(5):
        ledger.give_back("a")
    ledger.give_back("nobody")

    assert spent(ledger, "a") == 3


def test_a_refusal_holds_until_the_person_writes() -> None:
    ledger = Allowance(window=60, quota=3, clock=Clock())
    ledger.shut("a")
    assert spent(ledger, "a") == 0

    ledger.wrote("a")
    assert spent(ledger, "a") == 3


def test_those_who_wrote_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "KEPT", 2)
    ledger = Allowance(window=60, quota=3, clock=Clock())
    for person in ("a", "b", "c"):
        ledger.wrote(person)

    assert list(ledger._people) == ["b", "c"]
