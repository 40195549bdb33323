"""Nothing grows until nobody reads it to its end; names say what a file holds."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, modules

FILE = 450
FUNCTION = 50
MEDIAN = 8
VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common", "handler", "handlers", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file with the lines from its `def` to its end."""
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield f"{module}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_file_is_short_enough_to_be_read(module: Path) -> None:
    lines = len((ROOT / module).read_text(encoding="utf-8").splitlines())

    assert lines <= FILE


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_function_fits_on_a_screen(module: Path) -> None:
    long = {name: lines for name, lines in functions(module) if lines > FUNCTION}

    assert long == {}


def test_most_functions_are_taken_in_at_a_glance() -> None:
    lengths = [lines for module in modules() for _, lines in functions(module)]

    assert statistics.median(lengths) <= MEDIAN


def test_a_module_is_named_after_what_it_holds() -> None:
    vague = [str(module) for module in modules() if VAGUE & {*module.with_suffix("").parts}]

    assert vague == []


@pytest.mark.parametrize("module", modules(), ids=str)
def test_a_module_opens_by_saying_what_lives_there(module: Path) -> None:
    assert ast.get_docstring(ast.parse((ROOT / module).read_text(encoding="utf-8")))
