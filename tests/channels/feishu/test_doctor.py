"""What the operator is told, before anything goes wrong."""

from dataclasses import replace

from channels.simulators.feishu import Account, Fault, Refused
from hub.channel import Finding
from tests.channels.feishu.conftest import Make, World
from tests.channels.feishu.messages import ACCOUNT, PLAIN


async def examined(w: World, *, public_url: str | None = None) -> dict[str, Finding]:
    url = w.url.removesuffix("/channels/fs") if public_url is None else public_url
    w.channel.site = replace(w.channel.site, public_url=url)
    return {finding.setting: finding async for finding in w.channel.doctor()}


def wrong(found: dict[str, Finding]) -> dict[str, str]:
    return {name: f"{finding.text}; {finding.advice}" for name, finding in found.items() if not finding.ok}


async def test_a_channel_in_order_has_no_fault(world: Make) -> None:
    for account in (ACCOUNT, PLAIN):
        found = await examined(await world(account))
        assert wrong(found) == {}
        assert found.keys() == {"clock", "app_secret", "bot", "permissions", "public_url", "events"}


async def test_a_wrong_secret_is_named(world: Make) -> None:
    w = await world()
    w.platform.account.app_secret = "changed"

    assert "app_secret" in wrong(await examined(w))["app_secret"]


async def test_missing_permissions_are_named(world: Make) -> None:
    w = await world()
    w.platform.scopes = {"im:message:send_as_bot", "im:message.p2p_msg:readonly"}

    assert "im:message.group_at_msg:readonly, cardkit:card:write" in wrong(await examined(w))["permissions"]


async def test_permissions_that_can_not_be_listed_are_no_fault(world: Make) -> None:
    w = await world()
    w.platform.faults.append(Fault("/scopes", Refused(99991672)))

    assert (await examined(w))["permissions"].ok


async def test_a_bot_that_is_not_enabled_is_named(world: Make) -> None:
    w = await world()
    w.platform.activated = 3
    assert "publish" in wrong(await examined(w))["bot"]
    w.platform.faults.append(Fault("/bot/v3/info", Refused(230006)))
    assert "switch the bot on" in wrong(await examined(w))["bot"]


async def test_a_callback_with_another_key_is_named(world: Make) -> None:
    w = await world()
    other = await world(Account("cli_app", "app-secret", token=ACCOUNT.token, encrypt_key="another"))
    found = await examined(w, public_url=other.url.removesuffix("/channels/fs"))

    assert "encrypt_key" in wrong(found)["encrypt_key"]


async def test_without_a_public_url_the_operator_learns_what_to_type(world: Make) -> None:
    assert "/channels/fs" in wrong(await examined(await world(), public_url=""))["public_url"]


async def test_a_public_url_that_leads_nowhere_or_elsewhere_is_named(world: Make) -> None:
    w = await world()

    assert "does not answer" in wrong(await examined(w, public_url="http://127.0.0.1:9"))["public_url"]
    elsewhere = str(w.channel.settings.api_base)
    assert "something else" in wrong(await examined(w, public_url=elsewhere))["public_url"]


async def test_a_long_connection_is_asked_for(world: Make) -> None:
    w = await world(transport="websocket")
    assert (await examined(w))["transport"].ok
    w.platform.gateway.busy = True
    assert "no address" in wrong(await examined(w))["transport"]
