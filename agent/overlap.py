"""How much of a question a text holds: shared words and pairs of characters, the rare ones weighing more. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from agent.knowledge import tokens

CHARACTER = 0.3
"""What a single character weighs beside a pair: it helps where the same thing is said in other words."""


SAYS_LITTLE = re.compile("需要|想要|应该|应当|一般|通常|大概|大约|左右|关于|的话|现在|目前")
SAYS_NOTHING = frozenset(
    re.findall(
        "[a-z]+",
        """
        a an the is are was were be been am do does did can could may might must shall should will would have has
        had of to in on at by for from with about and or not no if it its this that these those there here what
        which who whom whose when where why how many much long often i me my we our you your he she they them
        their please tell any some get
        """,
    )
)
"""What any English question has."""


@lru_cache(maxsize=512)  # about 10 MB: the passages of the last ten questions
def terms(text: str) -> frozenset[str]:
    """What a text is made of: words, pairs of characters, and characters."""
    normal = tokens.normal(text)
    return frozenset(tokens.words(normal)) | frozenset(tokens.characters(normal))


def asked(question: str) -> frozenset[str]:
    """The terms of a question, without the words that only ask; all of them where nothing else is left."""
    told = SAYS_LITTLE.sub(" ", tokens.telling(tokens.normal(question)))
    return terms(told) - SAYS_NOTHING or terms(question)


class Weights:
    """What each term of a question weighs among some texts; a term that stands in all of them says little."""

    def __init__(self, question: frozenset[str], texts: Sequence[frozenset[str]]) -> None:
        counts = Counter(term for text in texts for term in text & question)
        self._weights = {term: self._weight(term, counts[term], len(texts)) for term in question if counts[term]}
        self._total = sum(self._weights.values()) or 1.0

    def share(self, text: frozenset[str]) -> float:
        """The part of the question's weight that this text holds, between 0 and 1."""
        return self.weight(text) / self._total

    def weight(self, text: frozenset[str]) -> float:
        return sum(weight for term, weight in self._weights.items() if term in text)

    @property
    def known(self) -> frozenset[str]:
        """The terms that stand in any of the texts."""
        return frozenset(self._weights)

    @staticmethod
    def _weight(term: str, count: int, texts: int) -> float:
        rare = math.log(1 + (texts + 1) / (count + 0.5))
        single = len(term) == 1 and not term.isascii()
        return rare * (CHARACTER if single else 1.0)
