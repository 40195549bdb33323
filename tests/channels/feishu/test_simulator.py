"""The simulated Feishu refuses what the platform refuses; else the tests against it would prove nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from channels.simulators.feishu.cards import Cards, checked
from channels.simulators.feishu.refusals import Refused

TABLES = "\n\n".join(["| a | b |\n|---|---|\n| 1 | 2 |"] * 6)
Change = dict[str, Any]


def card(content: str = "x", **config: Any) -> str:
    elements = [{"tag": "markdown", "content": content, "element_id": "answer"}]
    return json.dumps({"schema": "2.0", "config": config, "body": {"elements": elements}})


def made(*, limits: bool = True, **config: Any) -> tuple[Cards, str]:
    cards = Cards(limits=limits)
    return cards, cards.create({"type": "card_json", "data": card(**config)})["card_id"]


def code(call: Callable[[], object]) -> int:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ("no json", 200220),
        ('{"schema": "1.0"}', 300303),
        (card(update_multi=False), 300302),
        (card("汉" * 11_000), 200860),
        (card(TABLES), 230099),
        (json.dumps({"schema": "2.0", "body": {"elements": [{"tag": "hr"}] * 201}}), 300305),
    ],
)
def test_a_card_that_breaks_a_rule_is_refused(data: str, number: int) -> None:
    assert code(lambda: checked(data)) == number


def test_the_sequence_of_a_card_must_grow_and_fit_into_32_bits() -> None:
    cards, name = made(streaming_mode=True)
    cards.write(name, "answer", {"content": "a", "sequence": 5})

    for sequence in (5, 4, None, 2**31):
        change = {"content": "b", "sequence": sequence}
        assert code(lambda change=change: cards.write(name, "answer", change)) == 300317  # type: ignore[misc]
    assert len(cards.broken) == 4


def test_only_a_streaming_card_takes_a_text_and_only_in_an_element_that_it_has() -> None:
    cards, name = made()
    assert code(lambda: cards.write(name, "answer", {"content": "a", "sequence": 1})) == 300309
    cards.settings(name, {"settings": '{"config": {"streaming_mode": true}}', "sequence": 2})
    assert code(lambda: cards.write(name, "other", {"content": "a", "sequence": 3})) == 300313
    assert code(lambda: cards.write(name, "answer", {"content": "", "sequence": 4})) == 300313


def test_ten_changes_of_a_card_a_second_are_the_most() -> None:
    cards, name = made(streaming_mode=True)
    for n in range(1, 11):
        cards.write(name, "answer", {"content": "a", "sequence": n})

    assert code(lambda: cards.write(name, "answer", {"content": "a", "sequence": 11})) == 99991400


def test_a_card_is_shown_in_one_message_only() -> None:
    cards, name = made()
    cards.show(name, "om_1")

    assert code(lambda: cards.show(name, "om_2")) == 230099
    assert code(lambda: cards.show("nobody", "om_2")) == 230099
    assert code(lambda: cards.settings("nobody", {"sequence": 1})) == 200740
