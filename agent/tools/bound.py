"""Values that come from the turn itself: who asks is never read from words, neither a person's nor a model's."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

from agent.engine import ToolRefused
from hub.person import Evidence
from hub.turn import Turn

Source = Literal[
    "person",
    "turn",
    "channel",
    "identity.user",
    "identity.account",
    "evidence.jwt_sub",
    "evidence.unionid",
    "evidence.staff_id",
    "evidence.external_userid",
    "evidence.feishu_union_id",
    "evidence.feishu_user_id",
    "evidence.dingtalk_union_id",
    "evidence.email",
    "evidence.mobile",
]
"""The hub's number for the person; the turn; the channel's name; a platform's id of who speaks and of the account
spoken to; what a platform or a signed page vouches for, on any of the person's identities."""

WITHIN = frozenset({"jwt_sub", "staff_id", "external_userid", "feishu_user_id"})
"""Evidence that is unique within an issuer; it is kept as "ISSUER:VALUE"."""

Proofs = Callable[[int], Awaitable[Sequence[Evidence]]]
"""The evidence of all identities of a person, by their number."""


async def values(bind: Mapping[str, Source], turn: Turn, proofs: Proofs) -> dict[str, object]:
    """The value of each bound parameter. Raises ToolRefused when there is none, or more than one."""
    evidence: Sequence[Evidence] = ()
    if any(source.startswith("evidence.") for source in bind.values()):
        evidence = await proofs(turn.person.id)
    return {name: _value(source, turn, evidence) for name, source in bind.items()}


def _value(source: Source, turn: Turn, evidence: Sequence[Evidence]) -> object:
    match source:
        case "person":
            return turn.person.id
        case "turn":
            return turn.id
        case "channel":
            return turn.message.conversation.channel
        case "identity.user":
            return turn.message.sender.user
        case "identity.account":
            return turn.message.sender.account
        case _:
            return _proven(source.removeprefix("evidence."), turn.message.evidence, evidence)


def _proven(kind: str, own: Iterable[Evidence], all_of_them: Iterable[Evidence]) -> str:
    """The one value of this kind; what this message came with counts before what other identities have."""
    found = {proof.value for proof in own if proof.kind == kind}
    found = found or {proof.value for proof in all_of_them if proof.kind == kind}
    if len(found) != 1:
        raise ToolRefused("linked")
    (value,) = found
    return value.partition(":")[2] if kind in WITHIN else value
