"""How a reply looks in DingTalk."""

import json

import pytest

from channels.dingtalk.encode import by_robot, by_session, markdown, title


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("一\n二", "一  \n二"),
        ("一\n\n二", "一\n\n二"),
        ("- 一\n- 二", "- 一\n- 二"),
        ("看：\n- 一", "看：\n- 一"),
        ("1. 一\n2. 二", "1. 一\n2. 二"),
        ("# 题\n文", "# 题\n文"),
        ("表：\n|a|b|\n|-|-|\n|1|2|\n完", "表：\n\n|a|b|\n|-|-|\n|1|2|\n完"),
        ("```py\na\nb\n```\n后", "```py\na\nb\n```\n后"),
        ("", ""),
    ],
)
def test_line_breaks_and_tables_survive(text: str, shown: str) -> None:
    assert markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("## 差旅 **制度**\n内容", "差旅 制度"),
        ("\n\n[规定](https://x.cn/a) 如下", "规定 如下"),
        ("字" * 99, "字" * 30),
        ("```\n```", "…"),
        ("", "…"),
    ],
)
def test_the_title_is_the_first_words(text: str, words: str) -> None:
    assert title(text) == words


def test_a_session_webhook_takes_markdown() -> None:
    assert by_session("答\n案") == {"msgtype": "markdown", "markdown": {"title": "答", "text": "答  \n案"}}


def test_the_robot_api_takes_its_parameters_as_a_string() -> None:
    body = by_robot("答案", "robot")

    assert (body["robotCode"], body["msgKey"]) == ("robot", "sampleMarkdown")
    assert json.loads(str(body["msgParam"])) == {"title": "答案", "text": "答案"}
