"""The directory is asked for how a member is reached."""

from hub.person import Evidence
from tests.channels.dingtalk.conftest import Make

REACHED = (Evidence("email", "ming@corp.com"), Evidence("mobile", "13812340001"))


async def test_the_directory_vouches_for_a_member_where_it_is_asked(world: Make) -> None:
    w = await world(directory=True)
    w.platform.members["ming"] = {"mobile": "+86-13812340001", "org_email": "Ming@corp.com", "unionid": "u1"}

    assert await w.channel.vouch("ming") == (Evidence("dingtalk_union_id", "u1"), *REACHED)
    assert await w.channel.vouch("nobody") == ()


async def test_without_the_setting_nobody_is_asked_about(world: Make) -> None:
    w = await world()
    w.platform.members["ming"] = {"mobile": "13812340001"}

    assert await w.channel.vouch("ming") == ()
