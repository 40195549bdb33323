"""Python functions as tools: the signature is the schema, values come typed, and a slow one holds up nobody."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from agent.engine import ToolFailed
from agent.tools.arguments import checked
from agent.tools.python import Python, PythonSection
from agent.tools.tool import Call, Tool

CALL = Call("t1", "t1-1")


def maker(function: str, **changed: Any) -> Python:
    section = {"kind": "python", "function": f"tests.agent.tools.functions.{function}", **changed}
    return Python("own", PythonSection.model_validate(section))


async def tool(function: str, **changed: Any) -> Tool:
    made = maker(function, **changed)
    await made.open()
    return made.tools[0]


async def test_the_signature_is_what_a_model_is_told() -> None:
    made = await tool("stock")
    schema = json.loads(made.spec.parameters)

    assert made.spec.description == "Says how many there are."
    assert schema["properties"]["product"]["description"] == "商品名称"
    assert schema["properties"]["size"]["enum"] == ["S", "M"]
    assert schema["required"] == ["product"]
    assert made.policy.effect == "acts"


@pytest.mark.parametrize("given", [{}, {"product": "x", "size": "L"}, {"product": "x" * 21}, {"product": "x", "y": 1}])
async def test_what_does_not_fit_the_signature_is_refused(given: dict[str, Any]) -> None:
    made = await tool("stock")

    with pytest.raises(ToolFailed, match="没有执行"):
        checked(json.dumps(given), made.spec.parameters)


async def test_a_function_gets_typed_values_its_defaults_and_what_is_bound() -> None:
    stock, delivery = await tool("stock"), await tool("delivery", bind={"customer": "identity.user"})

    assert await stock.act({"product": "毛衣"}, CALL) == {"product": "毛衣", "size": "M", "left": 3}
    assert await delivery.act({"order": 7, "on": "2026-05-01", "customer": "lin"}, CALL) == {
        "order": 7,
        "on": "2026-05-01",
        "customer": "lin",
    }
    assert "customer" not in json.loads(delivery.spec.parameters)["properties"]


async def test_a_function_that_asks_for_it_gets_the_key() -> None:
    made = await tool("keyed")

    assert await made.act({"what": "sent"}, CALL) == "sent t1-1"
    assert list(json.loads(made.spec.parameters)["properties"]) == ["what"]


async def test_functions_that_hang_hold_up_neither_the_loop_nor_other_tools() -> None:
    slow, quick = await tool("holds"), await tool("stock")
    hanging = [asyncio.ensure_future(slow.act({}, CALL)) for _ in range(8)]
    await asyncio.sleep(0)

    assert await quick.act({"product": "毛衣"}, CALL)
    assert not any(task.done() for task in hanging)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


@pytest.mark.parametrize("name", ["nowhere", "NO_FUNCTION"])
async def test_doctor_names_a_function_that_is_not_there(name: str) -> None:
    finding = await maker(name).doctor()

    assert (finding.ok, finding.setting) == (False, "function")


async def test_doctor_imports_and_calls_nothing() -> None:
    assert (await maker("breaks").doctor()).ok


async def test_a_bound_parameter_that_the_function_does_not_have_is_a_fault() -> None:
    finding = await maker("stock", bind={"customer": "person"}).doctor()

    assert not finding.ok
    assert "customer" in finding.text


@pytest.mark.parametrize("function", ["", "stock", "a b.c", "os.system('x')"])
def test_what_is_no_dotted_name_is_refused(function: str) -> None:
    with pytest.raises(ValidationError):
        PythonSection.model_validate({"kind": "python", "function": function})
