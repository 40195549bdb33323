"""One person on a WeChat account, in WeCom and on a web page."""

import asyncio
from pathlib import Path

from memory.store import open_store
from tests.hub.stage import migrated
from tests.memory.world import World

OA, WECOM, WEB = "oa:lin", "wecom:LinMei", "web:v1"


async def test_what_is_told_on_one_of_three_linked_channels_is_known_on_the_others_until_it_is_unlinked(
    tmp_path: Path,
) -> None:
    await asyncio.to_thread(migrated, tmp_path)
    async with open_store("", tmp_path) as store:
        world = World(store)
        for other in (WECOM, WEB):
            code = await world.code(OA)
            assert "成功" in await world.say(other, f"/link {code}")
        await world.say(WECOM, "我对花生过敏")
        assert ["花生" in await world.seen(each) for each in (OA, WECOM, WEB)] == [True, True, True]
        await world.say(WECOM, "/unlink")

        assert ["花生" in await world.seen(each) for each in (OA, WECOM, WEB)] == [False, True, False]
