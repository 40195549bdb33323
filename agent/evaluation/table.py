"""The figures as a table on a terminal: a column a run, and for one run a column for each of its parts."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from agent.evaluation.figures import Figures, Outcome, told_apart
from agent.evaluation.figures import figures as counted

SHARES = {
    "answered": "answered, of what can be",
    "correct": "with all facts",
    "recall": "document found",
    "citations": "citations that are right",
    "grounded": "statements borne out",
    "refused": "said not to be known, of what is not",
    "tools": "tools used, where needed",
}


def figures(runs: Mapping[str, Sequence[Outcome]]) -> Table:
    """All figures."""
    columns = {name: counted(one) for name, one in runs.items()}
    if len(runs) == 1:
        (only,) = runs.values()
        columns |= told_apart(only, lambda case: case.part)
    table = Table(box=None)
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for label, cells in _rows(list(columns.values())):
        table.add_row(label, *cells)
    return table


def _rows(columns: Sequence[Figures]) -> list[tuple[str, list[str]]]:
    return [
        ("questions", [str(one.questions) for one in columns]),
        *((label, [_share(getattr(one, name)) for one in columns]) for name, label in SHARES.items()),
        ("seconds, median", [f"{one.seconds:.2f}" for one in columns]),
        ("seconds, one in twenty takes more", [f"{one.slow_seconds:.2f}" for one in columns]),
        ("tokens in / out", [f"{one.input_tokens} / {one.output_tokens}" for one in columns]),
        ("cost", ["–" if one.cost is None else f"{one.cost:.4f}" for one in columns]),
        ("answered by", [", ".join(f"{name} {count}" for name, count in one.engines.items()) for one in columns]),
    ]


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


def wrong(runs: Mapping[str, Sequence[Outcome]]) -> Table:
    """The questions that were answered wrong, by each run."""
    table = Table(box=None, show_edge=False)
    for name in ("", "question", "what is wrong", "answer"):
        table.add_column(name)
    for name, outcomes in runs.items():
        for one in outcomes:
            if one.wrong:
                table.add_row(name, one.case.question, one.wrong, " ".join(one.answer.text.split())[:80])
    return table
