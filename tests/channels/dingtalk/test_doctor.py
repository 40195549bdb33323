"""What the doctor says."""

import dataclasses

from channels.simulators.dingtalk import Fault
from hub.channel import Finding
from tests.channels.dingtalk.conftest import Make, World


async def findings(w: World) -> dict[str, Finding]:
    return {finding.setting: finding async for finding in w.channel.doctor()}


async def test_a_channel_that_is_well_has_no_complaint(world: Make) -> None:
    w = await world(card_template_id="template")
    found = await findings(w)

    assert set(found) == {"clock", "client_secret", "transport", "card_template_id"}
    assert [finding for finding in found.values() if not finding.ok] == []
    assert w.platform.shown == []


async def test_wrong_credentials_are_named(world: Make) -> None:
    found = await findings(await world(client_id="other"))

    assert (found["client_secret"].ok, found["transport"].ok) == (False, False)
    assert "client_id" in found["client_secret"].advice


async def test_a_gateway_that_does_not_answer_is_no_matter_of_credentials(world: Make) -> None:
    w = await world()
    w.platform.faults = [Fault("connections/open", status=503)]
    found = (await findings(w))["transport"]

    assert not found.ok
    assert "network" in found.advice


async def test_a_template_that_is_not_known_is_named(world: Make) -> None:
    found = await findings(await world(card_template_id="other"))

    assert not found["card_template_id"].ok


async def test_a_missing_permission_is_named(world: Make) -> None:
    w = await world(card_template_id="template")
    w.platform.faults = [
        Fault("/card/instances", status=403, code="Forbidden.AccessDenied.AccessTokenPermissionDenied")
    ]

    assert "Card.Instance.Write" in (await findings(w))["card_template_id"].advice


async def test_the_address_of_the_callback_is_told(world: Make) -> None:
    w = await world(transport="webhook")
    without = (await findings(w))["public_url"]
    w.channel.site = dataclasses.replace(w.channel.site, public_url="https://hub.example.com/")

    assert not without.ok
    assert "https://hub.example.com/channels/dd" in (await findings(w))["public_url"].text
