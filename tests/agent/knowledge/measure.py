"""How good and how dear the search is: `python -m tests.agent.knowledge.measure FOLDER…`.

A FOLDER has corpus.jsonl {id, title, text}, queries.jsonl {id, text} and qrels.jsonl {query_id, corpus_id}. Every
set is searched with its own questions, with the same ones mistyped (two characters of the same sound), and with
those of the other sets, which it can't answer. Embedding takes half a second a document.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pypinyin import lazy_pinyin

from agent.engine import THRESHOLD, Found
from agent.knowledge.archive import Archive
from agent.knowledge.catalogue import Known
from agent.knowledge.chunks import document
from agent.knowledge.document import Part, Reading
from agent.knowledge.embedding import Embedding
from agent.knowledge.library import open_archive
from agent.knowledge.search import Search
from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.client import Vectors
from memory.store import open_store


@dataclass(frozen=True)
class Set:
    """A corpus and its questions, each with the documents that answer it."""

    name: str
    corpus: dict[str, tuple[str, str]]
    questions: list[tuple[str, set[str]]]

    @classmethod
    def read(cls, folder: Path) -> "Set":
        def lines(name: str) -> list[dict[str, str]]:
            text = (folder / f"{name}.jsonl").read_text(encoding="utf-8")
            return [json.loads(line) for line in text.split("\n") if line]

        right: dict[str, set[str]] = defaultdict(set)
        for row in lines("qrels"):
            right[row["query_id"]].add(row["corpus_id"])
        corpus = {row["id"]: (row.get("title") or "", row["text"]) for row in lines("corpus")}
        return cls(
            folder.name, corpus, [(row["text"], right[row["id"]]) for row in lines("queries") if right[row["id"]]]
        )


class Typist:
    """Mistypes as people do who write by sound."""

    def __init__(self, texts: Sequence[str], seed: int = 7) -> None:
        common = Counter(c for text in texts for c in text if "\u4e00" <= c <= "\u9fff")
        self._same: dict[str, list[str]] = defaultdict(list)
        for character, _ in common.most_common(2500):
            self._same[lazy_pinyin(character)[0]].append(character)
        self._random = random.Random(seed)

    def mistype(self, text: str, count: int = 2) -> str:
        """The text with so many characters replaced by others of the same sound."""
        typed, left = list(text), count
        for place in self._random.sample(range(len(text)), len(text)):
            others = [c for c in self._same.get(lazy_pinyin(text[place])[0], ()) if c != text[place]]
            if others and left:
                typed[place] = self._random.choice(others)
                left -= 1
        return "".join(typed)


async def fill(archive: Archive, corpus: dict[str, tuple[str, str]]) -> None:
    """Puts the corpus into the archive."""
    for name, (title, text) in corpus.items():
        reading = Reading("", (Part(f"# {title}\n\n{text}" if title else text),))
        made = document(name, f"{name}.md", reading, name)
        await archive.replace(Known(name, made.source, "read", title, "", 0, 0.0, watched=False), made)


@asynccontextmanager
async def opened(folder: Path, corpus: dict[str, tuple[str, str]]) -> AsyncIterator[tuple[Search, Search]]:
    """Two ways to search the corpus: by word alone, and with meaning."""
    async with open_store("", folder) as store, open_archive(store) as archive:
        await fill(archive, corpus)
        setup = Setup(folder / "vectors", (await archive.totals()).identity)
        vectors = Vectors(setup)
        try:
            await Embedding(archive, vectors, setup).catch_up(lambda made, of: None)
            yield Search(archive, None), Search(archive, vectors, patience=60)
        finally:
            await vectors.close()


def figures(found: Sequence[Found], right: Sequence[set[str]]) -> str:
    """Recall of documents, and the mean reciprocal rank."""
    ranks = []
    for one, wanted in zip(found, right, strict=True):
        documents = list(dict.fromkeys(Path(passage.source).stem for passage in one.passages))
        ranks.append(next((n for n, name in enumerate(documents[:10], 1) if name in wanted), 99))
    shares = [f"R@{k} {sum(rank <= k for rank in ranks) / len(ranks):.3f}" for k in (1, 5, 10)]
    return " ".join([*shares, f"MRR {sum(1 / rank for rank in ranks if rank <= 10) / len(ranks):.3f}"])


def answered(found: Sequence[Found]) -> float:
    """The share that is thought to be answered."""
    return sum(one.confidence >= THRESHOLD for one in found) / max(len(found), 1)


async def measure(one: Set, others: Sequence[Set], most: int) -> None:
    """Prints the figures of one set."""
    rng = random.Random(1)
    questions = rng.sample(one.questions, min(most, len(one.questions)))
    right = [wanted for _, wanted in questions]
    typist = Typist([text for _, text in one.corpus.values()])
    foreign = [q for other in others for q, _ in rng.sample(other.questions, min(most, len(other.questions), 300))]
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), one.corpus) as ways:
            say(f"{one.name}: {len(one.corpus)} documents, {len(questions)} questions")
            for name, search in zip(("words", "words and meaning"), ways, strict=True):
                began, busy = time.perf_counter(), time.process_time()
                found = [await search.search(question, limit=20) for question, _ in questions]
                each = f"{(time.perf_counter() - began) / len(found) * 1000:.1f} ms"
                cpu = f"{(time.process_time() - busy) / len(found) * 1000:.1f} ms of this process"
                mistyped = [await search.search(typist.mistype(question), limit=20) for question, _ in questions]
                refused = 1 - answered([await search.search(question, limit=20) for question in foreign])
                say(f"  {name}: {figures(found, right)}, {each} each, {cpu}")
                say(f"  {name}, mistyped: {figures(mistyped, right)}, kept {answered(mistyped):.3f}")
                say(f"  {name}: kept {answered(found):.3f}, refused {refused:.3f} of {len(foreign)} from elsewhere")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--questions", type=int, default=2000, help="at most so many of each set")
    parser.add_argument("--only", metavar="NAME", help="measure this set; the others only ask what it can't answer")
    args = parser.parse_args()
    sets = [Set.read(folder) for folder in args.folders]
    for one in (one for one in sets if args.only in (None, one.name)):
        await measure(one, [other for other in sets if other is not one], args.questions)


if __name__ == "__main__":
    asyncio.run(main())
