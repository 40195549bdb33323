"""Operations of an OpenAPI document: only those that are named, with its schemas, references and places."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from agent.engine import ToolFailed
from agent.tools.arguments import checked
from agent.tools.openapi import Openapi, OpenapiSection
from agent.tools.tool import Call
from tests.agent.tools.test_http import Shop, serving

CALL = Call("t1", "t1-1")
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/orders/{number}": {
            "parameters": [{"$ref": "#/components/parameters/Number"}],
            "get": {
                "operationId": "getOrder",
                "summary": "Says where an order is.",
                "parameters": [
                    {"name": "customer", "in": "query", "required": True, "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
            },
            "post": {
                "operationId": "moveOrder",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Move"}}}},
            },
            "delete": {"operationId": "dropOrder"},
        }
    },
    "components": {
        "parameters": {
            "Number": {
                "name": "number",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": "^\\d+$"},
            }
        },
        "schemas": {
            "Move": {
                "type": "object",
                "required": ["to"],
                "properties": {"to": {"type": "string"}, "then": {"$ref": "#/components/schemas/Move"}},
            }
        },
    },
}


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    async with serving(made):
        yield made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(params=["json", "yaml"])
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / f"shop.{request.param}"
    file.write_text(json.dumps(DOCUMENT) if request.param == "json" else yaml.safe_dump(DOCUMENT), encoding="utf-8")
    return file


def made(document: Path | str, shop: Shop, http: aiohttp.ClientSession, **changed: Any) -> Openapi:
    declared = {
        "kind": "openapi",
        "document": str(document),
        "operations": ["getOrder", "moveOrder"],
        "base_url": shop.url,
        "private": True,
        "bind": {"customer": "evidence.jwt_sub"},
    }
    return Openapi("shop", OpenapiSection.model_validate({**declared, **changed}), http)


async def test_operations_that_are_named_are_tools(document: Path, shop: Shop, http: aiohttp.ClientSession) -> None:
    api = made(document, shop, http)
    await api.open()
    get, move = api.tools

    assert [tool.spec.name for tool in api.tools] == ["shop_getOrder", "shop_moveOrder"]
    assert get.spec.description == "Says where an order is."
    assert list(json.loads(get.spec.parameters)["properties"]) == ["number"]
    assert (get.policy.effect, move.policy.effect) == ("reads", "acts")
    assert checked('{"number": "7", "to": "x", "then": {"to": "y"}}', move.spec.parameters)
    with pytest.raises(ToolFailed):
        checked('{"number": "7", "to": "x", "customer": "c-18"}', move.spec.parameters)


async def test_values_go_where_the_document_says(document: Path, shop: Shop, http: aiohttp.ClientSession) -> None:
    api = made(document, shop, http)
    await api.open()

    await api.tools[0].act({"number": "7", "customer": "c-17"}, CALL)
    await api.tools[1].act({"number": "7", "to": "x", "customer": "c-17"}, CALL)

    assert [asked.raw_path for asked in shop.asked] == ["/orders/7?customer=c-17", "/orders/7?customer=c-17"]
    assert shop.bodies == [None, {"to": "x"}]
    assert shop.asked[1].headers["Idempotency-Key"] == "t1-1"


async def test_a_document_may_come_from_its_server(shop: Shop, http: aiohttp.ClientSession) -> None:
    shop.answer = DOCUMENT
    api = made(f"{shop.url}/openapi.json", shop, http, base_url="")
    await api.open()

    await api.tools[0].act({"number": "7", "customer": "c-17"}, CALL)

    assert shop.asked[-1].path == "/orders/7"


@pytest.mark.parametrize("text", ["", "[]", "{", "swagger: '2.0'", "openapi: 3.1.0\npaths: {}"])
async def test_doctor_names_what_is_wrong_with_a_document(
    text: str, tmp_path: Path, shop: Shop, http: aiohttp.ClientSession
) -> None:
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")

    bad = await made(tmp_path / "bad.yaml", shop, http).doctor()
    absent = await made(tmp_path / "none.yaml", shop, http).doctor()

    assert [(finding.ok, finding.setting) for finding in (bad, absent)] == [(False, "document")] * 2


async def test_doctor_reads_the_document_and_calls_nothing(
    document: Path, shop: Shop, http: aiohttp.ClientSession
) -> None:
    assert (await made(document, shop, http).doctor()).ok
    assert shop.asked == []
