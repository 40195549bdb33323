"""Facts come from a person's own statements, and from nothing else."""

from datetime import UTC, datetime

import pytest

from memory.facts import Told, relevant
from memory.patterns import Fact, found

NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "texts"),
    [
        ("我叫小林,对花生过敏", ["名字：小林", "对花生过敏"]),
        ("我住在杭州西湖边", ["住在杭州西湖边"]),
        ("我的孩子叫豆豆", ["孩子叫豆豆"]),
        ("我的口令是薰衣草甲壳虫", ["口令是薰衣草甲壳虫"]),
        ("请记住我的暗语是暗语123", ["我的暗语是暗语123"]),
        ("我上周买了空气净化器", ["买了空气净化器"]),
        ("订单号是 A20240501123", ["订单号：A20240501123"]),
        ("手机13812345678", ["手机号：13812345678"]),
        ("以后请只发顺丰", ["要求：只发顺丰"]),
        ("my name is Ada", ["name: Ada"]),
        ("我住在杭州，能送到吗？", ["住在杭州"]),
        ("现在搬到成都了", ["住在成都"]),
        ("我的工作是平面设计，经常出差", ["做平面设计工作"]),
        ("鞋码改成42码吧", ["鞋码改为42码"]),
        ("身高165厘米，选哪个号", ["身高：165厘米"]),
        ("发票抬头是云帆科技", ["发票抬头：云帆科技"]),
        ("我不叫小王，叫小李", ["名字：小李"]),
        ("我下周前都住在上海", ["住在上海"]),
        ("我不喜欢香菜了", ["不喜欢香菜"]),
    ],
)
def test_what_a_person_tells_of_themselves_is_found(said: str, texts: list[str]) -> None:
    assert [fact.text for fact in found(said, NOW)] == texts


@pytest.mark.parametrize(
    "said",
    [
        "我的猫叫什么?",
        "你知道我叫什么吗",
        "我的订单到哪里了",
        "退货地址是什么？",
        "我想退货",
        "我在等快递",
        "运费是八元",
        "如果我住在杭州，能送到吗",
        "你们的套餐是三十元",
        "尺码偏大",
    ],
)
def test_a_question_or_a_request_tells_nothing(said: str) -> None:
    assert found(said, NOW) == []


@pytest.mark.parametrize(
    ("said", "key", "value"),
    [
        ("我不对花生过敏", "allergy", "花生"),
        ("我现在对花生不过敏了", "allergy", "花生"),
        ("我已经不住杭州了", "city", "杭州"),
    ],
)
def test_what_is_no_longer_so_is_taken_back(said: str, key: str, value: str) -> None:
    assert [(fact.key, fact.value, fact.text) for fact in found(said, NOW)] == [(key, value, "")]


def test_what_a_person_asks_to_be_kept_in_mind_is_pinned() -> None:
    assert [fact.pinned for fact in found("请记住我的暗语是琥珀", NOW)] == [True]
    assert [fact.pinned for fact in found("我叫小林", NOW)] == [False]


def _told(text: str, *, pinned: bool = False) -> Told:
    return Told(1, Fact("note", "note", text, text), "oa", NOW, pinned)


def test_pinned_facts_come_first_then_those_that_fit_the_question() -> None:
    told = [_told("喜欢红色"), _told("对花生过敏"), _told("住在杭州", pinned=True)]

    assert [fact.text for fact in relevant(told, "花生酱能退吗", most=2)] == ["住在杭州", "对花生过敏"]


def test_a_sea_of_blanks_behind_a_question_is_read_once() -> None:
    assert found(f"我叫王芳。在吗{chr(9) * 300_000}x", NOW) == found("我叫王芳。", NOW)
