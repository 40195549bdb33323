"""Numbers that do harm in the wrong hands are masked before they are kept."""

import pytest

from hub.observe import masker
from memory.sensitive import Policy, masked


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("身份证11010519491231002X。", "身份证110105**********2X。"),
        ("卡号4111111111111111", "卡号4111********1111"),
        ("手机13812345678", "手机138****5678"),
        ("文三路123号4栋501室", "文三路**********"),
        ("订单号20240501123456", "订单号20240501123456"),
        ("110105194912310021 不是身份证", "110105194912310021 不是身份证"),
    ],
)
def test_cards_and_numbers_are_recognised_by_their_check_digits(text: str, kept: str) -> None:
    assert masked(text) == kept


def test_what_the_operator_allows_is_kept_and_nothing_else() -> None:
    policy = Policy.of(["mobile"])

    assert policy.kept("13812345678") == "13812345678"
    assert policy.kept("4111111111111111") == "4111********1111"


def test_the_log_shows_no_number_of_a_person_and_leaves_all_other_numbers() -> None:
    mask = masker(personal=masked)

    assert (
        mask("failed for 13812345678, card 4111 1111 1111 1111") == "failed for 138****5678, card 4111***********1111"
    )
    assert mask("2026-05-01T08:00:00.123456Z turn=t42 port=8080 ms=1714550400123") == (
        "2026-05-01T08:00:00.123456Z turn=t42 port=8080 ms=1714550400123"
    )
