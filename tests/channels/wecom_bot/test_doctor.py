"""What the doctor says."""

import dataclasses

from hub.channel import Finding
from tests.channels.wecom_bot.conftest import World


async def findings(w: World) -> dict[str, Finding]:
    return {finding.setting: finding async for finding in w.channel.doctor()}


async def test_a_callback_that_answers_the_check_is_well(bot: World) -> None:
    bot.channel.site = dataclasses.replace(
        bot.channel.site, name="bot", public_url=bot.caller.url.removesuffix("/channels/bot")
    )

    assert [finding for finding in (await findings(bot)).values() if not finding.ok] == []


async def test_without_a_public_url_it_says_what_to_set(bot: World) -> None:
    assert "hub.public_url" in (await findings(bot))["public_url"].advice


async def test_a_gateway_that_answers_is_well_and_the_bot_is_not_displaced(linked: World) -> None:
    async with linked.connected():
        found = await findings(linked)

        assert found["ws_url"].ok
        assert linked.gateway.current is not None


async def test_a_gateway_that_does_not_answer_is_named(linked: World) -> None:
    linked.channel.settings.__dict__["ws_url"] = "ws://127.0.0.1:1"

    assert not (await findings(linked))["ws_url"].ok
