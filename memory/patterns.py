"""Facts in a person's own words, found by plain patterns. Pure.

Patterns find what people say in passing of their name, how they are reached, what they like, what they bought, and
whatever they ask to be remembered. A question tells nothing; a statement may take back an earlier one.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from memory.until import until

Kind = Literal["profile", "contact", "preference", "need", "note"]

MOST_CHARACTERS = 120
"""A longer "fact" is a story; it is in the history."""
CORRECTED = "改为"
"""Stands in the text of a fact that corrects what was said before, in whatever words that was."""

END = r"(?=$|[，。！？!?,；;\n]|、?(?:然后|而且|另外|所以|但))"


@dataclass(frozen=True, slots=True)
class Fact:
    """A proposal: `key` groups facts that replace one another, `value` is what was said, `text` the sentence for it.

    An empty text takes this value back. `until`: when it ends, as it was told.
    """

    kind: Kind
    key: str
    value: str
    text: str
    lasts: timedelta | None = None
    until: datetime | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way to tell something: the group `v` is the value, `k` its name where it has one."""

    kind: Kind
    key: str
    said: re.Pattern[str]
    text: str
    lasts: timedelta | None = None


def _pattern(kind: Kind, key: str, said: str, text: str, lasts: timedelta | None = None) -> Pattern:
    return Pattern(kind, key, re.compile(said, re.IGNORECASE), text, lasts)


NAME = r"[\u4e00-\u9fff·]{1,8}|[A-Za-z][A-Za-z .'-]{0,30}"
ATTRIBUTES = "鞋码|尺码|身高|体重|腰围|预算|生日|(?:发票)?抬头|会员(?:卡|编)?号|车牌号?|套餐|学号|工号"
"""What people tell of themselves without saying that it is theirs."""
STUFF = r"[\u4e00-\u9fffA-Za-z、和]{1,20}"
PATTERNS = (
    _pattern("preference", "allergy", rf"不(?:再|会)?对(?P<v>{STUFF}?)过敏", ""),
    _pattern("preference", "allergy", rf"对(?P<v>{STUFF}?)(?:已经|现在|也)?不(?:再|会)?过敏", ""),
    _pattern("contact", "city", r"我(?:已经|现在)?不(?:再)?住(?:在)?(?P<v>[\u4e00-\u9fff]{2,30}?)了", ""),
    _pattern("profile", "name", rf"不(?:是)?叫(?:{NAME})[,，]?(?:我)?(?:是|叫)(?P<v>{NAME}?){END}", "名字：{v}"),
    _pattern(
        "profile", "name", rf"(?:我的名字(?:是|叫)|我叫|叫我)(?:做)?(?P<v>{NAME}?)(?:就(?:行|好)|吧)?{END}", "名字：{v}"
    ),
    _pattern("profile", "name", rf"\bmy name is (?P<v>[A-Za-z][A-Za-z'-]*(?: [A-Z][A-Za-z'-]*)?){END}", "name: {v}"),
    _pattern("contact", "mobile", r"(?<!\d)(?P<v>1[3-9]\d{9})(?!\d)", "手机号：{v}"),
    _pattern("contact", "email", r"(?P<v>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})", "邮箱：{v}"),
    _pattern(
        "contact",
        "address",
        rf"(?:(?:收货|家庭|公司)?地址(?:是|写|填|改(?:成|为)|换成)?[:：]?)(?P<v>.{{4,80}}?){END}",
        "地址：{v}",
    ),
    _pattern(
        "contact",
        "city",
        rf"(?:我|现在)(?:现在)?(?:住在?|搬到了?|人在)(?P<v>[\u4e00-\u9fff]{{2,30}}?)了?{END}",
        "住在{v}",
    ),
    _pattern(
        "profile",
        "job",
        rf"(?:我的(?:工作|职业)是|(?:我|现在)是做|现在做|我在做(?=.{{2,12}}(?:的|这一?行)))"
        rf"(?P<v>[\u4e00-\u9fffA-Za-z]{{2,12}}?)(?:的|这一?行)?{END}",
        "做{v}工作",
    ),
    _pattern("preference", "allergy", rf"对(?P<v>{STUFF}?)(?<!不)(?<!不再)(?<!不会)过敏", "对{v}过敏"),
    _pattern(
        "preference",
        "taste",
        rf"我(?:最|很|比较|更|一直|只)?(?P<w>喜欢|爱吃|爱喝|偏好|习惯用|想要)(?!的)(?P<v>[^，。！？!?,；;\n]{{1,40}}?)了?{END}",
        "{w}{v}",
    ),
    _pattern(
        "preference",
        "taste",
        rf"我(?:最|很|比较|现在|已经)?(?P<w>不(?:再)?喜欢|讨厌|不(?:再)?吃|不(?:再)?喝|不要)(?!记)(?P<v>[^，。！？!?,；;\n]{{1,40}}?)了?{END}",
        "{w}{v}",
    ),
    _pattern(
        "preference", "rule", rf"(?:我只|以后(?:都|请)?|今后)(?P<v>[^，。！？!?,；;\n]{{2,40}}?){END}", "要求：{v}"
    ),
    _pattern(
        "need",
        "product",
        rf"我(?:上个?月|昨天|前天|上周|今天|刚)?(?:买|购买|订|下单)了(?P<v>[^，。！？!?,；;\n]{{2,40}}?){END}",
        "买了{v}",
        timedelta(days=365),
    ),
    _pattern(
        "need",
        "order",
        r"订单(?:号|编号)?(?:是|为)?[:：]?\s*(?P<v>[A-Za-z]{0,4}-?\d{6,24})",
        "订单号：{v}",
        timedelta(days=365),
    ),
    _pattern(
        "note",
        "note",
        rf"(?<!别)(?<!不要)(?:请|帮我)?(?P<pin>记住|牢记)[:：，,]?(?P<v>[^。！？!?\n]{{2,80}}?){END}",
        "{v}",
    ),
    _pattern(
        "note", "note", rf"(?<!别)(?<!不要)(?:请|帮我)?(?:记下|记得)[:：，,]?(?P<v>[^。！？!?\n]{{2,80}}?){END}", "{v}"
    ),
    _pattern(
        "note",
        "of mine",
        rf"(?:我家?的?)?(?P<k>[\u4e00-\u9fff]{{1,8}}?)(?:[改换加][成为到]|应该是)了?(?P<v>[^，。！？!?,；;\n]{{1,40}}?)[了吧]?{END}",
        "{k}" + CORRECTED + "{v}",
    ),
    _pattern(
        "note",
        "of mine",
        rf"我(?:家)?的?(?!不)(?P<k>[\u4e00-\u9fff]{{1,12}}?)(?P<is>是|叫做?)(?P<v>[^，。！？!?,；;\n]{{1,40}}?){END}",
        "{k}{is}{v}",
    ),
    _pattern(
        "note",
        "of mine",
        rf"(?<!的)(?P<k>{ATTRIBUTES})(?:是|为|要|开|[:：]|(?=[A-Z]*\d))(?P<v>[^，。！？!?,；;\n]{{1,40}}?){END}",
        "{k}：{v}",
    ),
)
ASKED = re.compile(
    r"[?？]\s*$|吗\s*(?:[?？]\s*)?$|^(?:我的?.{0,12}(?:叫什么|是什么|是多少|是谁|是哪))|什么|哪(?:里|儿|个|天)|多少|(?<![过好十这那前])几|^(?:如果|假如|要是|万一)"
)
SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?")
CLAUSE = re.compile(r"[^，,；;]+[，,；;]?")


def found(text: str, now: datetime) -> list[Fact]:
    """The facts in somebody's own words, said now. A question tells none."""
    proposals: dict[str, Fact] = {}
    for told in statements(text):
        said, end = until(told, now)
        for pattern in PATTERNS:
            for match in pattern.said.finditer(said):
                fact = _fact(pattern, match, end)
                if fact and not any(fact.value in known.value for known in proposals.values()):
                    proposals[f"{fact.key} {fact.value}"] = fact
    return list(proposals.values())


def statements(text: str) -> list[str]:
    """The sentences, each without the parts between commas that ask or suppose something."""
    told = []
    for sentence in SENTENCE.findall(text):
        clauses = [clause for clause in CLAUSE.findall(sentence) if not ASKED.search(clause.strip("，,；; "))]
        told.append("".join(clauses).strip("，,；; "))
    return [sentence for sentence in told if sentence]


def _fact(pattern: Pattern, match: re.Match[str], end: datetime | None) -> Fact | None:
    groups = {name: (value or "").strip() for name, value in match.groupdict().items()}
    value = groups.get("v", "")
    if not value or len(value) > MOST_CHARACTERS:
        return None
    key = f"{pattern.key}:{groups['k']}" if "k" in groups else pattern.key
    return Fact(pattern.kind, key, value, pattern.text.format(**groups), pattern.lasts, end, "pin" in groups)
