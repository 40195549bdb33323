"""What a question is about that a text does not speak of, by its words and by their sounds. Pure.

A search finds what is near: the opening hours to a question about wages, one town's repair shop to a question about
another's. What gives it away is a word of the question that the passage lacks. Words that only hold a sentence together
don't count, nor does one that sounds the same, since it was probably mistyped.
"""

import re

from agent.knowledge import tokens

HOLDS_TOGETHER = re.compile(
    # asking for a figure, a way, a meaning
    "什么意思|怎么(?:弄|用|回事)|咋[整办样]?|几(?:[个天年月日周点号次折种款件]|分钟|小时)?"
    "|多(?:[长大高重远快])(?:时间)?|多少钱|能否|可否|给我|"
    + tokens.ASKING.pattern
    # who and which
    + "|我|你|您|他|她|它|自己|大家|这|那|其|该|此|每|各|任何|所有|全部|一[个张件台些种样起]"
    # can, wants, must
    + "|能|会|要|想|需要|应该|必须|可|愿意|打算"
    # grammar: particles, prepositions, conjunctions, negation, aspect
    + "|地|得|着|过|么|嘛|和|与|跟|及|或|并|而|但|还是|还|又|再|也|都|就|才|只|不|没有?|别|无|把|被|给|对|向"
    + "|从|到|为|让|使|用|以|于|由|按"
    + "|已经?|正在|刚刚?|曾|开始|完|好|算|来|去|出来|起来|下去|[回过][来去]|很|太|更|最"
    # where and when something is, of what kind it is
    + "|以?[前后内外上下]|里|中|之|时候?|多|少|大|小|长|些|点|个|次|种|样|一般|通常|大概|左右|关于|的话"
    + "|现在|目前|到底|究竟|直接|同时|钱|问题|情况|东西|方式|方法|条件|处理"
)
NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万]+")
NAME = re.compile(r"(?<![a-z0-9])[a-z]+[- ]?[0-9]{1,5}(?![0-9])[a-z]*")
"""What a model is called. Longer numbers are those of an order or a person, which no document holds."""
LOOSE = re.compile(r"[\s-]+")
LONG = 4
"""Letters of an English word that says something."""


def lacking(question: str, text: str) -> float:
    """The part of what the question tells, by its characters, that the text has neither as written nor as it sounds."""
    asked, held = tokens.normal(question), tokens.normal(text)
    words = frozenset(tokens.words(held))
    foreign = bool(tokens.IS_HAN.search(held)) and not tokens.IS_HAN.search(asked)
    lacks = tells = 0
    for run in tokens.RUN.findall(asked):
        if tokens.IS_HAN.match(run):
            tells += sum(map(len, _telling(run)))
            lacks += sum(len(word) for word in _telling(_unsaid(run, words, held)) if len(word) > 1)
        elif not foreign and len(run) >= LONG and run.isalpha():
            tells += len(run)
            lacks += len(run) if tokens.stem(run) not in words else 0
    return lacks / tells if tells else 0.0


def unnamed(question: str, text: str) -> list[str]:
    """The models that the question names and the text does not."""
    held = LOOSE.sub("", tokens.normal(text))
    named = NAME.findall(tokens.normal(question))
    return [name for name in named if LOOSE.sub("", name) not in held]


def _telling(run: str) -> list[str]:
    return HOLDS_TOGETHER.sub(" ", NUMERAL.sub(" ", run)).split()


def _unsaid(run: str, words: frozenset[str], held: str) -> str:
    """A run of Chinese characters with spaces for those that the text has, a pair at a time."""
    left = _without(run, tokens.words(run), words)
    return _without(left, tokens.sounds(run), frozenset(tokens.sounds(held))) if left.strip() else left


def _without(run: str, pairs: list[str], held: frozenset[str]) -> str:
    """The run with spaces where a pair of its characters is held; pairs beyond its length are numbers."""
    left = list(run)
    for n, pair in enumerate(pairs[: len(run) - 1]):
        if pair in held:
            left[n] = left[n + 1] = " "
    return "".join(left)
