"""Random histories of people on all channels, on either database: nobody is ever shown what another said.

A model in sets beside the real thing: who is one person with whom, and what each said in private and in the group.
TEST_THOROUGH=1 plays many more and longer histories.
"""

import asyncio
import json
import os
import re
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from hub.person import Evidence
from memory import audit, privacy
from memory.sensitive import Policy
from memory.store import Store
from memory.study import Study
from memory.tables import evidence, identities
from memory.vouched import JOINING
from tests.databases import KINDS, empty
from tests.memory.test_erasure import left
from tests.memory.world import World

THOROUGH = bool(os.environ.get("TEST_THOROUGH"))
WHO = ("oa:a", "oa:b", "wecom:c", "bot:d", "kf:e", "feishu:f", "dingtalk:g", "h5:h")
ROOM = "room"
MARK = re.compile(r"(?:暗语|群话)\d{5}号")
SOMEBODY = st.sampled_from(WHO)
PROOF = st.builds(Evidence, st.sampled_from(["email", "mobile", "unionid"]), st.sampled_from(["x", "y"]))
EXAMPLES = {"sqlite": 4, "postgresql": 2}
FORMS = ("请记住{}", "我喜欢{}", "我的口令是{}", "收到{}了吗？", "以后都写{}", "刚才说的是{}，对吧")


class Repeater:
    """A model that makes a summary of every word that it is shown."""

    async def write(self, task: str, words: str) -> str:
        return json.dumps({"facts": [], "summary": "谈过" + "，".join(MARK.findall(words))}, ensure_ascii=False)


class Histories(RuleBasedStateMachine):
    """People are named by their identities; a circle is one person."""

    kind = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self.run = asyncio.Runner()
        self.stack = AsyncExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.database = empty(self.kind, folder)
        self.store: Store = self.run.run(self.stack.enter_async_context(self.database.opened()))
        self.world = World(self.store, trusted=JOINING)
        self.study = Study(self.store, lambda: self.world.now, Policy(), Repeater(), 10_000)
        self.private: dict[str, set[str]] = {who: set() for who in WHO}
        self.group: dict[str, set[str]] = {who: set() for who in WHO}
        self.circles = {who: frozenset({who}) for who in WHO}
        self.ever_linked: set[str] = set()
        self.count = 0
        for who in WHO:
            self.say(who, "你好")

    def teardown(self) -> None:
        try:
            for who in WHO:
                self.look(who)
            assert self.run.run(self.store.read(audit.broken)) is None
        finally:
            self.run.run(self.stack.aclose())
            self.run.close()

    def say(self, who: str, words: str, *, group: str = "", proof: tuple[Evidence, ...] = ()) -> str:
        self.world.now += timedelta(minutes=11)
        return self.run.run(self.world.say(who, words, group=group, proof=proof))

    def known(self) -> dict[str, frozenset[str]]:
        """Who is one person with whom, as the database has it."""
        people = {
            who: self.run.run(self.store.read(lambda c, who=who: privacy.find(c, who.split(":")[0], who)))  # type: ignore[misc]
            for who in WHO
        }
        same = {w: frozenset(o for o in WHO if people[o] is not None and people[o] == people[w]) for w in WHO}
        return {who: same[who] or frozenset({who}) for who in WHO}

    def words(self, who: str) -> set[str]:
        return set().union(*(self.private[mate] for mate in self.circles[who]))

    # -- what may happen

    @rule(who=SOMEBODY, form=st.sampled_from(FORMS))
    def tell(self, who: str, form: str) -> None:
        self.count += 1
        self.private[who].add(word := f"暗语{self.count:05d}号")
        self.say(who, form.format(word))

    @rule(who=SOMEBODY, form=st.sampled_from(FORMS))
    def tell_the_group(self, who: str, form: str) -> None:
        self.count += 1
        self.group[who].add(word := f"群话{self.count:05d}号")
        self.say(who, form.format(word), group=f"{who.split(':')[0]} {ROOM}")

    @rule(giver=SOMEBODY, taker=SOMEBODY)
    def link(self, giver: str, taker: str) -> None:
        code = self.run.run(self.world.code(giver))
        said = self.run.run(self.world.say(taker, f"/link {code}"))
        assert ("成功" in said) == (giver != taker)
        self.world.now += timedelta(minutes=11)
        if giver != taker:
            both = self.circles[giver] | self.circles[taker]
            self.circles.update(dict.fromkeys(both, both))
            self.ever_linked |= both
        assert self.circles == self.known()

    @rule(giver=SOMEBODY, taker=SOMEBODY, data=st.data())
    def link_and_undo(self, giver: str, taker: str, data: st.DataObject) -> None:
        """Either side, by whichever of the two accounts, is again exactly who it was."""
        before = self.circles.copy()
        if taker in before[giver]:
            return
        self.link(giver, taker)
        who = data.draw(st.sampled_from([giver, taker]))
        self.say(who, "/unlink")
        self.circles = self.known()
        if who == taker or not any(len(before[one]) > 1 for one in (giver, taker)):
            assert self.circles == before
        assert self.circles[giver] != before[giver] | before[taker]

    @rule(who=SOMEBODY)
    def unlink(self, who: str) -> None:
        before = self.circles
        said = self.say(who, "/unlink")
        self.circles = self.known()
        assert (self.circles == before) == ("没有绑定" in said)
        assert all(self.circles[one] <= before[one] for one in WHO)

    @rule(who=SOMEBODY, proof=PROOF)
    def vouch(self, who: str, proof: Evidence) -> None:
        """A platform names somebody, for the first time or anew."""
        self.say(who, "你好", proof=(proof,))
        self.circles = self.known()
        query = select(identities.c.user, evidence.c.kind, evidence.c.value).join(
            evidence, evidence.c.identity_id == identities.c.id
        )
        rows = self.run.run(self.store.read(lambda c: c.execute(query).all()))
        for circle in {c for c in self.circles.values() if not c & self.ever_linked}:
            held = {(kind, value) for user, kind, value in rows if user in circle}
            assert len({kind for kind, _ in held}) == len(held)

    @rule(who=SOMEBODY)
    def forget(self, who: str) -> None:
        question = self.say(who, "/forget")
        self.world.now -= timedelta(minutes=11)
        self.say(who, question.split("「")[1].split("」")[0])
        self.gone(self.circles[who])

    @rule(who=SOMEBODY)
    def erase(self, who: str) -> None:
        person = self.run.run(self.store.read(lambda c: privacy.find(c, who.split(":")[0], who)))
        assert person is not None
        words = self.gone(self.circles[who])
        self.run.run(self.store.write(lambda c: privacy.erase(c, person, by="operator", now=self.world.now)))
        self.run.run(self.store.scrub())
        if words:
            assert self.run.run(left(self.world, self.database, *words)) == []
        for mate in self.circles[who]:
            self.circles[mate] = frozenset({mate})
            self.say(mate, "你好")

    def gone(self, circle: frozenset[str]) -> list[str]:
        words = [word for mate in circle for word in self.private[mate] | self.group[mate]]
        for mate in circle:
            self.private[mate].clear()
            self.group[mate].clear()
        return words

    @rule(who=SOMEBODY, wish=st.sampled_from(["固定记忆 1", "/memory unpin 1", "/memory forbid 口令", "/memory allow"]))
    def wish(self, who: str, wish: str) -> None:
        assert set(MARK.findall(self.say(who, wish))) <= self.words(who)

    @precondition(lambda self: self.count)
    @rule(who=SOMEBODY)
    def sum_up(self, who: str) -> None:
        stored = self.run.run(self.world.accept(who, "好的"))
        self.run.run(self.world.close(stored))
        self.run.run(self.study.read(stored))

    # -- what is seen

    @rule(who=SOMEBODY)
    def look(self, who: str) -> None:
        own = self.words(who)
        assert set(MARK.findall(self.run.run(self.world.seen(who)))) == own
        assert set(MARK.findall(self.say(who, "/memory"))) <= own
        asked = "\n".join(self.run.run(self.world.recalled(who, "我的口令和喜欢的是什么，昨天说过什么")))
        assert set(MARK.findall(asked)) <= own
        person = self.run.run(self.store.read(lambda c: privacy.find(c, who.split(":")[0], who)))
        assert person is not None
        kept = str(self.run.run(self.store.read(lambda c: privacy.export(c, person))))
        groups = set().union(*(self.group[mate] for mate in self.circles[who]))
        assert set(MARK.findall(kept)) - groups == own

    @rule(who=SOMEBODY)
    def look_in_the_group(self, who: str) -> None:
        channel = who.split(":")[0]
        said = set().union(*(self.group[one] for one in WHO if one.startswith(f"{channel}:")))
        seen = self.run.run(self.world.seen(who, group=f"{channel} {ROOM}"))
        assert set(MARK.findall(seen)) == said


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_ever_shown_what_another_said(kind: str) -> None:
    machine = type(f"On{kind}", (Histories,), {"kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=300 if THOROUGH else EXAMPLES[kind],
            stateful_step_count=60 if THOROUGH else 12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
