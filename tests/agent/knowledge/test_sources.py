import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.knowledge.archive import Archive
from agent.knowledge.rank import Question
from agent.knowledge.readers import NotRead
from agent.knowledge.reading import Readers
from agent.knowledge.sources import Sources
from tests.agent.knowledge.library import MEMBERS, REFUNDS, SHIPPING
from tests.agent.knowledge.readers import made

MOST = 2**20


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def sources(archive: Archive, *roots: Path) -> Sources:
    return Sources(archive, roots, most=MOST)


async def titles(archive: Archive) -> list[str]:
    return sorted(one.title for one in (await archive.known()).values() if one.state == "read")


async def test_everything_that_can_be_read_is_read(local: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    written(folder, "a.md", SHIPPING)
    written(folder, "deep/er/b.txt", REFUNDS)
    written(folder, "c.docx", made.word([("Heading 1", "保修"), ("Normal", "整机保修两年。")]))
    written(folder, ".git/d.md", MEMBERS)
    written(folder, "logo.png", b"\x89PNG")
    single = written(tmp_path, "elsewhere/会员.md", MEMBERS)

    assert await sources(local, folder, single).scan()
    assert await titles(local) == ["b", "会员日", "保修", "配送说明"]


async def test_what_did_not_change_is_not_read_again(local: Archive, tmp_path: Path) -> None:
    written(tmp_path / "k", "a.md", SHIPPING)
    await sources(local, tmp_path / "k").scan()
    version = await local.version()

    assert not await sources(local, tmp_path / "k").scan()
    assert await local.version() == version


async def test_a_new_time_alone_changes_nothing(local: Archive, tmp_path: Path) -> None:
    path = written(tmp_path / "k", "a.md", SHIPPING)
    await sources(local, tmp_path / "k").scan()
    os.utime(path, (1, 1))

    assert not await sources(local, tmp_path / "k").scan()
    assert (await local.known())[str(path)].modified == 1


async def test_a_broken_file_is_left_out_and_the_others_are_read(local: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "k"
    written(folder, "a.pdf", b"%PDF-1.7 nonsense")
    written(folder, "b.docx", b"PK\x03\x04nonsense")
    written(folder, "c.md", b"\x00\x01" * 500)
    written(folder, "d.md", SHIPPING)
    await sources(local, folder).scan()
    known = await local.known()

    assert {Path(source).name: one.state for source, one in known.items()} == {
        "a.pdf": "broken",
        "b.docx": "broken",
        "c.md": "broken",
        "d.md": "read",
    }
    assert not await sources(local, folder).scan()


async def test_a_file_whose_parser_dies_is_left_out_and_the_next_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.docx", made.word([("Normal", "一句话。")]))
    readers = Readers(MOST)
    try:
        first = await readers.read(path)
        assert readers._process is not None
        os.kill(readers._process.pid, signal.SIGSTOP)
        reading = asyncio.create_task(readers.read(path))
        await asyncio.sleep(0)
        os.kill(readers._process.pid, signal.SIGKILL)
        with pytest.raises(NotRead, match="crashed"):
            await reading

        assert await readers.read(path) == first
    finally:
        await readers.close()


async def test_a_folder_that_is_away_takes_nothing_with_it(local: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "drive"
    written(folder, "a.md", SHIPPING)
    await sources(local, folder).scan()
    folder.rename(tmp_path / "unplugged")
    await sources(local, folder).scan()

    assert await titles(local) == ["配送说明"]


async def test_what_is_no_source_any_more_is_forgotten_but_not_what_was_added_by_hand(
    local: Archive, tmp_path: Path
) -> None:
    written(tmp_path / "k", "a.md", SHIPPING)
    written(tmp_path / "other", "b.md", REFUNDS)
    await sources(local, tmp_path / "k", tmp_path / "other").scan()
    known = (await local.known())[str(tmp_path / "k" / "a.md")]
    await local.touch(replace(known, watched=False))
    await sources(local, tmp_path / "new").scan()

    assert await titles(local) == ["配送说明"]


async def test_what_was_removed_by_hand_stays_away_until_it_changes(local: Archive, tmp_path: Path) -> None:
    path = written(tmp_path / "k", "a.md", SHIPPING)
    await sources(local, tmp_path / "k").scan()
    await local.forget([(await local.known())[str(path)].id], "removed by hand")
    await sources(local, tmp_path / "k").scan()

    assert await titles(local) == []

    path.write_text(REFUNDS, encoding="utf-8")
    await sources(local, tmp_path / "k").scan()

    assert await titles(local) == ["退货政策"]


async def test_changes_are_noticed_while_it_runs(local: Archive, tmp_path: Path) -> None:
    """Added, changed, in a folder that is new, and gone; each within seconds and without a look at the clock."""
    folder = tmp_path / "k"
    written(folder, "a.md", SHIPPING)
    async with aclosing(sources(local, folder).keep()) as looks:
        await anext(looks)
        path = written(folder, "member.md", MEMBERS)
        assert await change(looks)
        assert "第十七天" in await said(local)
        path.write_text(MEMBERS.replace("十七", "二十三"), encoding="utf-8")
        assert await change(looks)
        assert "第二十三天" in await said(local)
        path.unlink()
        assert await change(looks)
        assert await said(local) == ""
        written(folder, "new/deep/member.md", MEMBERS.replace("十七", "九"))
        assert await change(looks)
        assert "第九天" in await said(local)


async def change(looks: AsyncGenerator[bool, None]) -> bool:
    """The next look at which something changed; a look that came too early finds nothing."""
    async with asyncio.timeout(20):
        while not await anext(looks):
            pass
    return True


async def said(archive: Archive) -> str:
    return "".join(one.text for one in (await archive.find(Question("会员日积分"))).passages if "会员" in one.text)
