"""Calls that went wrong on their way, or were never right."""

import random
from dataclasses import replace

from tests.channels.conformance.case import Call, Case
from tests.channels.conformance.world import Api

WORDS = (
    "<xml>",
    "</xml>",
    "<![CDATA[",
    "]]>",
    '{"',
    '":',
    "[",
    "]",
    "null",
    "1e999",
    "\\ud800",
    "你",
    "😀",
    "\0",
    "&x;",
)
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><Content>&b;</Content></xml>'
UNREADABLE = {
    "broken UTF-8": b"<xml><Content>\xff\xfe\xc3</Content></xml>",
    "a half of a pair": '{"a":"\ud800"}'.encode("utf-8", "surrogatepass"),
    "a document type": ENTITIES,
    "a file by entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><xml><MsgId>&a;</MsgId></xml>',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "broken off": b'{"header":{"event_id"',
    "no object": b'"words"',
    "another coding": '<?xml version="1.0" encoding="utf-16"?><xml/>'.encode("utf-16"),
    "nothing but zeros": bytes(64),
}


def by_chance(chance: random.Random) -> bytes:
    """Bytes, or words of the platforms' languages in an order that means nothing."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(300))
    return "".join(chance.choices(WORDS, k=chance.randrange(1, 30))).encode("utf-8", "surrogatepass")


def damaged(case: Case, api: Api, chance: random.Random) -> Call:
    """A call of this kind that is no message: cut off before or after it was signed, forged, rubbish, or unsigned."""
    whole = case.message("在吗", str(chance.randrange(1 << 60)), api)
    match chance.randrange(5):
        case 0:
            return case.sign(whole[: chance.randrange(len(whole) - 1)])
        case 1:
            call = case.sign(whole)
            return replace(call, body=call.body[: chance.randrange(len(call.body) - 1)])
        case 2:
            forgeries = list(case.forged(case.sign(whole)))
            return chance.choice(forgeries)
        case 3:
            return case.sign(by_chance(chance) if chance.random() < 0.9 else chance.choice(list(UNREADABLE.values())))
        case _:
            return Call(case.sign(whole).body if case.proofs else by_chance(chance))
