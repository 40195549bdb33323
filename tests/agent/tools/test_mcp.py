"""MCP servers, in real processes: what is named is offered and nothing else, and one that dies is started again."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.engine import ToolFailed
from agent.tools.mcp import Mcp, McpSection
from agent.tools.tool import Call, Tool, Unsure
from tests.architecture.source import ROOT

CALL = Call("t1", "t1-1")
SERVER = str(ROOT / "tests/agent/tools/mcp_server.py")
ALL = ("order_status", "cancel_order", "refuses", "die")


def section(**changed: Any) -> McpSection:
    declared = {"kind": "mcp", "tools": ALL, "command": sys.executable, "args": [SERVER]}
    return McpSection.model_validate({**declared, **changed})


@asynccontextmanager
async def opened(declared: McpSection) -> AsyncIterator[dict[str, Tool]]:
    made = Mcp("shop", declared)
    try:
        await made.open()
        yield {tool.spec.name: tool for tool in made.tools}
    finally:
        await made.close()


async def test_a_server_s_tools_are_offered_with_what_it_says_of_them() -> None:
    async with opened(section(bind={"customer": "evidence.jwt_sub"})) as tools:
        status, cancel = tools["shop_order_status"], tools["shop_cancel_order"]

    assert status.spec.description == "Says where an order is."
    assert list(json.loads(status.spec.parameters)["properties"]) == ["order"]
    assert (status.policy.effect, status.policy.confirm) == ("reads", False)
    assert (cancel.policy.effect, cancel.policy.confirm) == ("acts", True)


async def test_only_tools_that_are_named_are_offered() -> None:
    async with opened(section(tools=["order_status"], confirm=True)) as tools:
        assert list(tools) == ["shop_order_status"]
        assert tools["shop_order_status"].policy.confirm


async def test_a_call_brings_a_value_and_the_program_gets_its_own_secrets_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_KEY", "not-for-everybody")
    async with opened(section()) as tools:
        without = await tools["shop_order_status"].act({"order": "7", "customer": "c"}, CALL)
    async with opened(section(env={"SHOP_KEY": "env:SHOP_KEY"})) as tools:
        given = await tools["shop_order_status"].act({"order": "7", "customer": "c"}, CALL)

    assert without == {"order": "7", "customer": "c", "status": "已发货", "key": ""}
    assert isinstance(given, dict)
    assert given["key"] == "not-for-everybody"


async def test_a_tool_that_fails_says_so() -> None:
    async with opened(section()) as tools:
        with pytest.raises(ToolFailed) as failed:
            await tools["shop_refuses"].act({}, CALL)

    assert not isinstance(failed.value, Unsure)


async def test_a_server_that_dies_in_a_call_leaves_it_unsure_and_is_started_again() -> None:
    async with opened(section()) as tools:
        with pytest.raises(Unsure):
            await tools["shop_die"].act({}, CALL)
        again = await tools["shop_order_status"].act({"order": "7", "customer": "c"}, CALL)

    assert isinstance(again, dict)


async def test_a_server_over_http(unused_tcp_port: int) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, SERVER, "--port", str(unused_tcp_port), stderr=asyncio.subprocess.DEVNULL
    )
    declared = section(command="", url=f"http://127.0.0.1:{unused_tcp_port}/mcp")
    try:
        async with opened(declared) as tools:
            assert await tools["shop_cancel_order"].act({"order": "7"}, CALL) in (
                "cancelled 7",
                {"result": "cancelled 7"},
            )
    finally:
        program.kill()
        await program.wait()


async def test_doctor_lists_and_calls_nothing(tmp_path: Path) -> None:
    good = await Mcp("shop", section()).doctor()
    missing = await Mcp("shop", section(tools=["order_status", "fly"])).doctor()

    assert good.ok
    assert (missing.ok, missing.setting) == (False, "tools")
    assert "fly" in missing.text


@pytest.mark.parametrize("changed", [{"command": ""}, {"url": "http://127.0.0.1/mcp"}, {"tools": []}])
def test_a_wrong_declaration_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        section(**changed)
