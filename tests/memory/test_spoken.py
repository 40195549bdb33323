"""The words by which a person rules over what is kept of them."""

import pytest

from memory.spoken import Spoken, spoken


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("/link", Spoken("link")),
        (" 绑定账号。", Spoken("link")),
        ("/LINK abcd-2345", Spoken("use", "abcd-2345")),
        ("／ｌｉｎｋ　ＡＢＣＤ２３４５", Spoken("use", "abcd2345")),
        ("绑定账号：ABCD2345", Spoken("use", "abcd2345")),
        ("/unlink", Spoken("unlink")),
        ("解除绑定", Spoken("unlink")),
        ("我的记忆", Spoken("memory")),
        ("忘记我！", Spoken("forget")),
        ("转人工", Spoken("human")),
        ("转机器人", Spoken("agent")),
        ("/memory pin 2", Spoken("pin", "2")),
        ("取消固定 12", Spoken("unpin", "12")),
        ("不要记3", Spoken("forbid", "3")),
        ("/memory forbid 花生", Spoken("forbid", "花生")),
        ("请不要记我的手机号。", Spoken("forbid", "手机号")),
        ("别再记住我的地址了", Spoken("forbid", "地址")),
        ("/memory allow", Spoken("allow")),
        ("可以记我的手机号", Spoken("allow", "手机号")),
        ("别记错地址", None),
        ("不要记得太细", None),
        ("我想转人工可以吗", None),
        ("怎么绑定账号", None),
        ("/linked", None),
        ("", None),
    ],
)
def test_a_command_is_the_whole_message_however_it_was_typed(words: str, command: Spoken | None) -> None:
    assert spoken(words) == command
