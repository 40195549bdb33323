"""From the configuration to a model, and what doctor says of it."""

import pytest

from agent.models import providers
from agent.models.openai import ChatModel
from agent.models.scripted import Reply, Scripted
from config import Secret
from config.sections import ModelSection, Provider


async def test_no_provider_is_no_model() -> None:
    assert providers.model(ModelSection()) is None


@pytest.mark.parametrize("provider", ["openai", "ollama", "huggingface", "anthropic"])
async def test_every_provider_makes_a_model_of_the_given_name(provider: Provider) -> None:
    model = providers.model(ModelSection(provider=provider, name="some-model"))

    assert model
    assert model.name == "some-model"
    await model.close()


async def test_a_compatible_server_is_asked_at_its_address_with_its_key() -> None:
    async with Scripted() as server:
        section = ModelSection(provider="openai", name="m", base_url=server.url, api_key=Secret("sk-1"))
        model = providers.model(section)
        assert isinstance(model, ChatModel)
        finding = await providers.probe(section)
        await model.close()

    assert finding.ok
    assert server.asked[0].body["max_tokens"] == 16


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (Reply(status=401), "api_key"),
        (Reply(status=404), "agent.model.name"),
        (Reply(status=429), "quota"),
        (Reply(raw=b"<html>", media_type="text/html"), "/v1"),
        (Reply(drop=True), "the server runs"),
        (Reply(wait=9), "timeout"),
    ],
)
async def test_doctor_says_what_to_change(reply: Reply, word: str) -> None:
    async with Scripted(lambda asked: reply) as server:
        finding = await providers.probe(
            ModelSection(provider="openai", name="m", base_url=server.url, timeout=0.3, api_key=Secret("sk-hidden"))
        )

    assert not finding.ok
    assert word in finding.advice
    assert "sk-hidden" not in str(finding)


async def test_doctor_has_nothing_to_ask_without_a_model() -> None:
    assert (await providers.probe(ModelSection())).ok
