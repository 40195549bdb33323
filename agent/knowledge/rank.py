"""How well a passage answers a question, and whether any does. Pure: the index and the vectors bring the candidates.

A candidate's score is the strength of the question's words in it plus its closeness in meaning:

    strength    BM25 over words and character pairs, as a share of what a passage with all of them would get.
                Where another reading of the sounds is much stronger, the question was mistyped: sounds count.
    closeness   the cosine of the vectors, counted from that of unrelated texts (0) to the same text (1)

Adding the two keeps how sure each of them is, which ranks throw away: on all sets the sum is better than fusing
by rank (xquad: R@1 .945 by RRF, .955 by the sum; DuReader: R@5 .903 and .944).

Recall of documents. XQuAD was measured through the whole search with tests/agent/knowledge/measure.py; CMRC and
DuReader with these formulas over an index in memory. The constants were chosen by looking at all three sets, so the
figures tell how the methods compare, not what another knowledge will give:

                                    words             meaning           both              both, 2 typos
                                    R@1  R@5  R@10    R@1  R@5  R@10    R@1  R@5  R@10    R@1  R@5  R@10
    XQuAD-zh (240 docs, 1190 q)     .931 .987 .992    .889 .984 .992    .952 .996 .999    .929 .986 .992
    CMRC (400 docs, 1487 q)         .978 .997 .998    .970 .989 .993    .994 .999 1.00    .989 .997 .997
    DuReader (916 docs, 196 q)      .337 .832 .888    .429 .944 .954    .429 .944 .959    .388 .898 .923

The confidence weighs strength, closeness, and the share of the telling words that the best passages cover. At 0.5
it keeps .977 of XQuAD's questions and refuses .942 of those from the other sets; by words alone .942 and .879.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from agent.knowledge import tokens

K1, B = 1.2, 0.75
"""How soon more of the same word stops to count, and how much the length of a passage does: BM25's usual values."""
PRIOR = 30
"""Passages that are imagined beside those that are there: in a knowledge of three, no word is known to be rare."""
MISTYPED = 0.75
"""Words that are weaker than this share of the sounds were probably not meant."""
SOUND = 0.9
"""What a sound is worth of a word."""
MEANING = 1.6
"""What closeness is worth of strength."""
NEW = 0.5
"""A passage without a vector whose words are as strong as this is taken to be as close as the closest."""
SETTLED, AHEAD = 0.7, 0.5
"""A best passage of this strength, ahead of the next by this share of it, is best by meaning too."""
SURE, SURE_BY_WORD = (0.48, 0.11), (0.19, 0.09)
"""Evidence at which it is as likely as not that the passages answer: for one passage, and more for each ten times
as many, because among many there is always one that is like the question by chance."""
MANY = 3000
"""Passages beyond which chance brings nothing more."""
STEEPNESS = 6.0
FOREIGN = 0.01
"""Closeness at which that is so when question and passage are in different scripts: no word can be the same.

Of ten English questions about the sample knowledge 8 are kept, and 8 of 8 about anything else refused; five of the
eight have the right passage first. At -0.12 it was all ten, and 3 of 8.
"""


@dataclass(frozen=True)
class Bag:
    """A text as it is compared: how often it has which word; sounds are made when somebody asks."""

    text: str
    """Normal text."""
    words: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", Counter(tokens.words(self.text)))

    @cached_property
    def sounds(self) -> Mapping[str, int]:
        return Counter(tokens.sounds(self.text))

    @cached_property
    def chinese(self) -> bool:
        return bool(tokens.characters(self.text))


@dataclass(frozen=True)
class Question:
    """A question as it is compared. `telling` are its words without those that only ask."""

    text: str

    @cached_property
    def plain(self) -> str:
        return tokens.normal(self.text)

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tokens.words(self.plain)))

    @cached_property
    def sounds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tokens.sounds(self.plain)))

    @cached_property
    def characters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tokens.characters(tokens.telling(self.plain))))

    @cached_property
    def telling(self) -> str:
        return tokens.telling(self.plain)

    @cached_property
    def meaningful(self) -> bool:
        """Whether meaning could help: it has two Chinese characters that tell something, two words, or a long one.

        A number, an order's code or a greeting means nothing that a passage could be close to.
        """
        latin = [word for word in tokens.LATIN.findall(self.telling) if not tokens.IS_HAN.search(word)]
        return len(self.characters) > 1 or len(latin) > 1 or any(len(word) > 3 for word in latin)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each token of a question tells: the rarer, the more. `length` is the mean length of the passages."""

    of: Mapping[str, float]
    length: float
    passages: int

    @classmethod
    def from_counts(
        cls, wanted: Iterable[str], counts: Mapping[str, int], *, passages: int, length: float
    ) -> "Weights":
        """`counts`: in how many of the passages each token stands."""
        every = passages + PRIOR
        rare = {t: math.log(1 + (every - counts.get(t, 0) + 0.5) / (counts.get(t, 0) + 0.5)) for t in wanted}
        return cls(rare, max(length, 1.0), passages)

    def strength(self, bag: Mapping[str, int]) -> float:
        """BM25 of these tokens in a bag, as a share of the weight of all of them."""
        total = sum(self.of.values())
        longer = K1 * (1 - B + B * sum(bag.values()) / self.length)
        found = sum(w * bag[t] * (K1 + 1) / (bag[t] + longer) for t, w in self.of.items() if t in bag)
        return found / total if total else 0.0

    def coverage(self, bag: Mapping[str, int], telling: Iterable[str]) -> float:
        """The share of the weight of the telling tokens that stand in a bag."""
        weights = [(self.of[t], t in bag) for t in telling if t in self.of]
        total = sum(weight for weight, _ in weights)
        return sum(weight for weight, there in weights if there) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates, best first, with their scores, and how sure it is that they answer."""

    order: tuple[tuple[str, float], ...]
    confidence: float


@dataclass(frozen=True)
class Trial:
    """One question before its candidates. `words` and `sounds` weigh its tokens."""

    question: Question
    words: Weights
    sounds: Weights | None = None
    """None: nobody looked for sounds."""

    def strengths(self, bags: Mapping[str, Bag]) -> tuple[dict[str, float], bool]:
        """Of each candidate, and whether sounds counted."""
        by_word = {key: self.words.strength(bag.words) for key, bag in bags.items()}
        if self.sounds is None:
            return by_word, False
        by_sound = {key: self.sounds.strength(bag.sounds) for key, bag in bags.items()}
        if max(by_word.values(), default=0.0) >= MISTYPED * max(by_sound.values(), default=0.0):
            return by_word, False
        return {key: max(by_word[key], SOUND * by_sound[key]) for key in bags}, True

    def settled(self, bags: Mapping[str, Bag]) -> bool:
        """Whether the words alone say which passage is best."""
        strengths, mistyped = self.strengths(bags)
        best, second = [*sorted(strengths.values(), reverse=True), 0.0, 0.0][:2]
        return not mistyped and best >= SETTLED and best - second >= AHEAD * best

    def ranked(self, bags: Mapping[str, Bag], closeness: Mapping[str, float] | None) -> Ranked:
        """The candidates in order, without those that have nothing in common with the question.

        `closeness` is None where nobody looked at the meaning. A passage that has no vector yet is taken to be as
        close as the closest where its words are strong, so that what is new is found by them.
        """
        strengths, mistyped = self.strengths(bags)
        near = closeness or {}
        unknown = max(near.values(), default=0.0)
        scores = {
            key: strength + MEANING * near.get(key, unknown * min(1.0, strength / NEW))
            for key, strength in strengths.items()
            if strength or key in near
        }
        order = tuple(sorted(scores.items(), key=lambda item: -item[1]))
        if not order:
            return Ranked((), 0.0)
        best = [key for key, _ in order[:3]]
        cover = max(self._coverage(bags[key], mistyped=mistyped) for key in best)
        strength = max(strengths[key] for key in best)
        if best[0] not in near:
            return Ranked(order, self._likely(cover + 0.5 * strength, SURE_BY_WORD))
        closest = max(near.get(key, 0.0) for key in best)
        if not strength and not self.question.characters and bags[best[0]].chinese:
            return Ranked(order, self._likely(1.5 * (closest - FOREIGN), (0.0, 0.0)))
        return Ranked(order, self._likely(0.5 * (cover + strength) + 1.5 * closest, SURE))

    def _coverage(self, bag: Bag, *, mistyped: bool) -> float:
        telling = tokens.words(self.question.telling) or self.question.words
        cover = self.words.coverage(bag.words, telling)
        if mistyped and self.sounds is not None:
            heard = tokens.sounds(self.question.telling) or self.question.sounds
            cover = max(cover, SOUND * self.sounds.coverage(bag.sounds, heard))
        return cover

    def _likely(self, evidence: float, enough: tuple[float, float]) -> float:
        """0.5 where the evidence is just enough in a knowledge of this size."""
        one, ten = enough
        needed = one + ten * math.log10(min(max(self.words.passages, 1), MANY))
        return 1 / (1 + math.exp(STEEPNESS * (needed - evidence)))
