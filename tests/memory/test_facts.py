"""Facts come from a person's own statements, and from nothing else."""

import pytest

from memory.facts import Fact, Told, found, relevant


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
    ],
)
def test_what_a_person_tells_of_themselves_is_found(said: str, texts: list[str]) -> None:
    assert [fact.text for fact in found(said)] == texts


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
    assert found(said) == []


def _told(text: str, *, pinned: bool = False) -> Told:
    from datetime import UTC, datetime

    return Told(1, Fact("note", "note", text, text), "oa", datetime.now(UTC), pinned)


def test_pinned_facts_come_first_then_those_that_fit_the_question() -> None:
    told = [_told("喜欢红色"), _told("对花生过敏"), _told("住在杭州", pinned=True)]

    assert [fact.text for fact in relevant(told, "花生酱能退吗", most=2)] == ["住在杭州", "对花生过敏"]
