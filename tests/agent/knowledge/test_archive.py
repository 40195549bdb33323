import asyncio
from dataclasses import replace

import pytest

from agent.knowledge import catalogue
from agent.knowledge.archive import Archive
from agent.knowledge.catalogue import BATCH, GONE
from agent.knowledge.index import Entry
from agent.knowledge.library import now
from agent.knowledge.rank import Question
from memory.store import Store
from tests.agent.knowledge.library import MEMBERS, SHELF, SHIPPING, made

MEMBER_DAY = "会员日是每个月的第十七天，全场积分翻倍。"


async def filled(archive: Archive) -> Archive:
    for name, text in SHELF.items():
        await archive.replace(*made(name, text))
    return archive


async def texts(archive: Archive, question: str) -> list[str]:
    return [one.text for one in (await archive.find(Question(question))).passages]


async def test_what_was_put_is_found_by_its_words(archive: Archive) -> None:
    await filled(archive)

    assert (await texts(archive, "会员日积分翻倍"))[0] == MEMBER_DAY


async def test_what_was_mistyped_is_found_by_its_sound(archive: Archive) -> None:
    await filled(archive)

    assert "无理由退货" in (await texts(archive, "推伙换宽"))[0]


async def test_a_single_character_is_found(archive: Archive) -> None:
    await filled(archive)

    assert "运费" in (await texts(archive, "元?"))[0]


async def test_a_passage_comes_with_all_that_a_citation_needs(archive: Archive) -> None:
    await filled(archive)
    hits = await archive.find(Question("会员日"))
    one = hits.passages[0]

    assert (one.document, one.source, one.headings, one.url, one.anchor) == (
        "会员日",
        "members.md",
        ("会员日",),
        "",
        "",
    )
    assert (hits.words, hits.totals.passages) == ({"会员": 1, "员日": 1}, 3)


async def test_a_document_is_replaced_at_once_and_whole(archive: Archive) -> None:
    await filled(archive)
    await archive.replace(*made("members", MEMBERS.replace("十七", "二十三")))

    assert await texts(archive, "会员日积分翻倍") == ["会员日是每个月的第二十三天，全场积分翻倍。"]


async def test_a_long_document_is_put_in_steps_and_found_whole(archive: Archive) -> None:
    text = "\n\n".join(f"# 第{n}条\n\n编号{n}的商品可以退货。" for n in range(BATCH * 2 + 5))
    await archive.replace(*made("long", text))
    await archive.replace(*made("long", text))

    assert (await archive.known())["long.md"].passages == BATCH * 2 + 5
    assert (await archive.totals()).passages == BATCH * 2 + 5


async def test_every_change_makes_the_version_grow(archive: Archive) -> None:
    versions = [await archive.version()]
    await archive.replace(*made("members", MEMBERS))
    versions.append(await archive.version())
    await archive.replace(*made("members", SHIPPING))
    versions.append(await archive.version())
    await archive.forget(["members"])
    versions.append(await archive.version())

    assert versions == sorted(set(versions))


async def test_what_is_gone_leaves_nothing(archive: Archive) -> None:
    await filled(archive)
    await archive.forget(["members"], GONE)

    assert "members.md" not in await archive.known()
    assert (await archive.totals()).passages == 2
    assert (await archive.find(Question("会员日"))).words == {}


async def test_what_was_removed_by_hand_is_still_known(archive: Archive) -> None:
    await filled(archive)
    await archive.forget(["members"], "removed by hand")

    known = (await archive.known())["members.md"]

    assert (known.state, known.digest, known.passages) == ("removed", "digest", 0)
    assert MEMBER_DAY not in await texts(archive, "会员日")


async def test_a_broken_document_is_known_with_its_reason_and_not_found(archive: Archive) -> None:
    await filled(archive)
    about, _ = made("members", MEMBERS)
    await archive.replace(replace(about, state="broken", why="no text in it"), None)

    assert (await archive.known())["members.md"].why == "no text in it"
    assert MEMBER_DAY not in await texts(archive, "会员日")


async def test_what_a_crash_left_is_cleared_away(archive: Archive, store: Store) -> None:
    about, document = made("members", MEMBERS)
    index = archive._index
    entries = [(piece, Entry.of(document.words(piece))) for piece in document.slices]
    generation = await store.write(lambda c: catalogue.begin(c, about, now()))
    await store.write(lambda c: catalogue.put(c, index, about.id, generation, entries))

    again = Archive(store, now)
    await again.open()

    assert (await again.totals()).passages == 0
    assert await texts(again, "会员日") == []


async def test_a_writer_whose_passages_were_cleared_away_puts_them_again(archive: Archive, store: Store) -> None:
    about, document = made("members", MEMBERS)
    generation = await store.write(lambda c: catalogue.begin(c, about, now()))

    with pytest.raises(catalogue.Disturbed):
        await store.write(lambda c: catalogue.finish(c, about, document, generation, now()))


async def test_an_index_of_other_tokens_is_made_again(archive: Archive, store: Store) -> None:
    await filled(archive)
    await store.write(lambda c: catalogue.indexed(c, "of another kind"))
    again = Archive(store, now)
    await again.open()

    assert (await again.totals()).tokens != "of another kind"
    assert len(await texts(again, "会员日积分翻倍")) == 1


async def test_searches_and_changes_side_by_side_do_no_harm(archive: Archive) -> None:
    await filled(archive)

    async def change() -> None:
        for n in range(8):
            await archive.replace(*made("members", MEMBERS.replace("十七", f"{n}")))

    async def ask() -> list[int]:
        return [len(await texts(archive, "会员日积分翻倍")) for _ in range(12)]

    _, *counts = await asyncio.gather(change(), ask(), ask())

    assert {count for found in counts for count in found} == {1}


@pytest.mark.parametrize(
    "text", ['" OR 1', "a* NOT b", "NEAR(x y)", "words:x", "'; DROP TABLE passages; --", "%_\\", "\x00"]
)
async def test_no_question_is_taken_for_a_query(archive: Archive, text: str) -> None:
    await filled(archive)
    await archive.find(Question(f"{text} 会员日"))

    assert (await archive.totals()).passages == 3
