"""The directory is asked for how a member is reached."""

from hub.person import Evidence
from tests.channels.wecom.conftest import Make

REACHED = (Evidence("email", "ming@corp.com"), Evidence("mobile", "13812340001"))


async def test_the_directory_vouches_for_a_member_where_it_is_asked(make: Make) -> None:
    w = await make(directory=True)
    w.wecom.members["ZhangSan"] = {"mobile": "+86-13812340001", "biz_mail": "Ming@corp.com"}

    assert await w.channel.vouch("ZhangSan") == REACHED
    assert await w.channel.vouch("nobody") == ()


async def test_without_the_setting_nobody_is_asked_about(make: Make) -> None:
    w = await make()
    w.wecom.members["ZhangSan"] = {"mobile": "13812340001"}

    assert await w.channel.vouch("ZhangSan") == ()
