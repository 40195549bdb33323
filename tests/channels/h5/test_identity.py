"""Who is who: visitor tokens, and the JWTs of the web page."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.h5.identity import Identities, IdentityRefused
from hub.person import Evidence, Identity
from tests.channels.h5.desk import SECRET, Desk, site
from tests.channels.h5.page import first, posted, posting, socket, streamed

NOW = datetime.now(UTC)
KEY = b"k" * 32
HERE = Identities(KEY, SECRET, leeway=30, longest=30 * 86400)


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims: object, secret: str = SECRET, digest: str = "sha256", **header: Any) -> str:
    """A JWT made by hand, so that it may be wrong in any way."""
    return signed_text(json.dumps(claims), secret, digest, **header)


def signed_text(claims: str, secret: str = SECRET, digest: str = "sha256", **header: Any) -> str:
    """The same of claims that need not be JSON."""
    head = {"alg": "HS256", "typ": "JWT"} | header
    said = f"{packed(json.dumps(head).encode())}.{packed(claims.encode())}"
    return f"{said}.{packed(hmac.digest(secret.encode(), said.encode(), digest))}"


def alice(seconds: float = 600, sub: str = "alice") -> str:
    return signed({"sub": sub, "exp": int((NOW + timedelta(seconds=seconds)).timestamp())})


LATER = int(NOW.timestamp()) + 600
BAD = {
    "expired": signed({"sub": "alice", "exp": LATER - 720}),
    "another key": signed({"sub": "alice", "exp": LATER}, "another-secret-of-more-than-32-bytes"),
    "the empty key": signed({"sub": "alice", "exp": LATER}, ""),
    "alg none": signed({"sub": "alice", "exp": LATER}, alg="none").rsplit(".", 1)[0] + ".",
    "alg none, signed": signed({"sub": "alice", "exp": LATER}, alg="none"),
    "HS512": signed({"sub": "alice", "exp": LATER}, digest="sha512", alg="HS512"),
    "no exp": signed({"sub": "alice"}),
    "exp that is no number": signed({"sub": "alice", "exp": "soon"}),
    "exp without end": signed({"sub": "alice", "exp": float("inf")}),
    "exp that is a list": signed({"sub": "alice", "exp": [LATER]}),
    "no sub": signed({"exp": LATER}),
    "alg in other letters": signed({"sub": "alice", "exp": LATER}, alg="hs256"),
    "alg of a public key": signed({"sub": "alice", "exp": LATER}, alg="RS256"),
    "alg that is a list": signed({"sub": "alice", "exp": LATER}, alg=["HS256"]),
    "alg that is missing": signed({"sub": "alice", "exp": LATER}, alg=None),
    "kid of a file that is empty": signed({"sub": "alice", "exp": LATER}, "", kid="../../../../dev/null"),
    "kid of a query": signed({"sub": "alice", "exp": LATER}, "k" * 32, kid=f"x' UNION SELECT '{'k' * 32}"),
    "a key of its own": signed({"sub": "alice", "exp": LATER}, "k" * 32, jwk={"kty": "oct", "k": packed(b"k" * 32)}),
    "a key at an address": signed({"sub": "alice", "exp": LATER}, "k" * 32, jku="http://127.0.0.1/keys", kid="1"),
    "a header that must be understood": signed({"sub": "alice", "exp": LATER}, crit=["nobody-knows"]),
    "signed with its own seal as the key": signed({"sub": "alice", "exp": LATER}, packed(b"\0" * 32)),
    "the seal of another": f"{signed({'sub': 'bob', 'exp': LATER}).rpartition('.')[0]}."
    + signed({"sub": "alice", "exp": LATER}).rpartition(".")[2],
    "no seal": signed({"sub": "alice", "exp": LATER}).rpartition(".")[0] + ".",
    "no seal and no dot": signed({"sub": "alice", "exp": LATER}).rpartition(".")[0],
    "exp in milliseconds": signed({"sub": "alice", "exp": LATER * 1000}),
    "exp in ten years": signed({"sub": "alice", "exp": LATER + 10 * 365 * 86400}),
    "exp of 5 000 digits": signed_text('{"sub": "alice", "exp": ' + "9" * 5_000 + "}"),
    "exp of nothing": signed({"sub": "alice", "exp": None}),
    "sub that is a number": signed({"sub": 7, "exp": LATER}),
    "sub that is true": signed({"sub": True, "exp": LATER}),
    "sub that is a list": signed({"sub": ["alice"], "exp": LATER}),
    "sub that is an object": signed({"sub": {"id": "alice"}, "exp": LATER}),
    "sub of nothing": signed({"sub": None, "exp": LATER}),
    "sub with half a character": signed({"sub": "\ud800", "exp": LATER}),
    "sub with what nobody sees": signed({"sub": "alice\u200b", "exp": LATER}),
    "made in the future": signed({"sub": "alice", "exp": LATER, "iat": LATER}),
    "for a list of others": signed({"sub": "alice", "exp": LATER, "aud": ["a", "b"]}),
    "empty sub": signed({"sub": "", "exp": LATER}),
    "sub with a line feed": signed({"sub": "a\nb", "exp": LATER}),
    "long sub": signed({"sub": "a" * 201, "exp": LATER}),
    "not yet": signed({"sub": "alice", "exp": LATER, "nbf": LATER}),
    "for somebody else": signed({"sub": "alice", "exp": LATER, "aud": "another service"}),
    "no object": signed(["alice", LATER]),
    "no JWT": "hello.there",
    "deep": packed(b"[" * 5_000) + ".e30.e30",
    "no ASCII": "é.è.à",
}


@pytest.mark.parametrize("name", BAD)
def test_a_jwt_that_does_not_hold_is_refused(name: str) -> None:
    with pytest.raises(IdentityRefused):
        HERE.named(BAD[name], NOW)


def test_a_jwt_names_a_person() -> None:
    visitor = HERE.named(alice(), NOW)

    assert visitor.identity("web") == Identity("web", "", "sub:alice")
    assert visitor.expires == LATER + 30
    (evidence,) = visitor.evidence
    assert evidence == Evidence("jwt_sub", evidence.value)
    assert evidence.value.endswith(":alice")
    assert SECRET not in evidence.value


def test_people_of_another_web_page_have_other_evidence() -> None:
    there = Identities(KEY, "the-secret-of-another-shop-of-32-bytes")
    token = signed({"sub": "alice", "exp": LATER}, "the-secret-of-another-shop-of-32-bytes")

    assert there.named(token, NOW).evidence != HERE.named(alice(), NOW).evidence


def test_a_jwt_may_last_as_long_as_the_channel_allows_and_no_longer() -> None:
    short = Identities(KEY, SECRET, leeway=30, longest=3600)

    assert short.named(alice(3600), NOW).user == "sub:alice"
    with pytest.raises(IdentityRefused, match="exp is more than"):
        short.named(alice(3700), NOW)


def test_what_else_a_header_says_changes_nothing() -> None:
    named = signed({"sub": "alice", "exp": LATER}, kid="../../etc/passwd", jku="http://127.0.0.1/keys", x5u="file:///")

    assert HERE.named(named, NOW) == HERE.named(signed({"sub": "alice", "exp": LATER}), NOW)


def test_clocks_may_differ_a_little() -> None:
    assert HERE.named(alice(-20), NOW).user == "sub:alice"
    with pytest.raises(IdentityRefused):
        HERE.named(alice(-40), NOW)


def test_tokens_name_who_they_were_given_to() -> None:
    nobody, person = HERE.anonymous(), HERE.named(alice(), NOW)

    assert HERE.known(nobody.token) == nobody
    assert HERE.known(person.token) == person


def test_a_token_of_a_person_ends_with_the_secret() -> None:
    person, nobody = HERE.named(alice(), NOW), HERE.anonymous()
    changed = Identities(KEY, "a-new-secret-of-more-than-thirty-two-bytes")

    assert changed.known(person.token) is None
    assert changed.known(nobody.token) == nobody


def test_no_two_visitors_are_the_same() -> None:
    assert len({HERE.anonymous().user for _ in range(1000)}) == 1000


@pytest.mark.parametrize("token", [HERE.anonymous().token, HERE.named(alice(), NOW).token], ids=["nobody", "alice"])
def test_nothing_like_a_token_is_one(token: str) -> None:
    head, said, seal = token.split(".")
    changes = {
        *(token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :] for i in range(len(token))),
        *(
            token.upper(),
            token.lower(),
            token.swapcase(),
            f" {token}",
            f"{token} ",
            f"{token}\0",
            f"{token}=",
            token[:-1],
        ),
        *(f"{head}.{said}", f"{head}.{said}.", f"{said}.{seal}", f"{head}..{seal}", f"{head}.{said}.{seal}.{seal}", ""),
        *("s" + token[1:], "v" + token[1:], token + "é"),
    } - {token}

    assert [HERE.known(change) for change in changes] == [None] * len(changes)


@given(st.text())
def test_any_text_is_a_stranger(text: str) -> None:
    assert HERE.known(text) is None


def test_names_in_the_journal_give_no_token_away() -> None:
    visitor = HERE.anonymous()
    chance = visitor.token.split(".")[1]
    known = visitor.user + visitor.conversation("web").id

    assert chance not in known
    assert hashlib.sha256(chance.encode()).hexdigest()[:32] in visitor.user


# -- through the channel


async def test_a_person_is_the_same_in_every_browser() -> None:
    async with site() as (desk, base), socket(base) as one, socket(base) as two:
        first, second = await one.hello(identity=alice()), await two.hello(identity=alice(300))
        await one.ask("一")
        await two.next("reply")

    assert first["conversation"] == second["conversation"]
    assert desk.said[0].sender.user == "sub:alice"
    assert desk.said[0].evidence[0].kind == "jwt_sub"


async def test_nobody_is_another_s_alice() -> None:
    async with site() as (_, base), socket(base) as a, socket(base) as b, socket(base) as nobody:
        names = [await a.hello(identity=alice()), await b.hello(identity=alice(sub="bob")), await nobody.hello()]

    assert len({name["conversation"] for name in names}) == 3


@pytest.mark.parametrize("name", BAD)
async def test_a_hello_whose_identity_does_not_hold_is_refused_and_closed(name: str) -> None:
    async with site() as (_, base), socket(base) as page, posting() as http:
        told = await page.hello(identity=BAD[name])
        code = await page.closed()
        status, posted_told = await posted(http, base, {"type": "hello", "identity": BAD[name]})

    assert (told["type"], told["code"], code) == ("error", "identity_refused", 1008)
    assert (status, posted_told) == (401, told)


async def test_without_a_secret_there_is_no_identity() -> None:
    async with site(identity_secret=None) as (_, base), socket(base) as page:
        assert (await page.hello(identity=alice()))["code"] == "identity_refused"


async def test_an_identity_counts_more_than_the_token_of_somebody_anonymous() -> None:
    async with site() as (desk, base), socket(base) as before, socket(base) as after:
        token = (await before.hello())["visitor"]
        await after.hello(token, identity=alice())
        await after.ask("我是谁")

    assert desk.said[0].sender.user == "sub:alice"


async def test_a_person_s_token_speaks_for_them_until_the_jwt_ends() -> None:
    times = [NOW]
    async with site(clock=lambda: times[-1]) as (desk, base), posting() as http:
        token = (await posted(http, base, {"type": "hello", "identity": alice()}))[1]["visitor"]
        async with posting(token=token) as there:
            told = [await posted(there, base, {"type": "message", "id": "1", "text": "x"})]
            times.append(NOW + timedelta(seconds=640))
            told.append(await posted(there, base, {"type": "message", "id": "2", "text": "x"}))
            told.append(await posted(there, base, {"type": "hello"}))
            async with there.get(f"{base}/events") as stream:
                pass

    assert [(status, event.get("code", "")) for status, event in told] == [
        (200, ""),
        (401, "identity_expired"),
        (401, "identity_expired"),
    ]
    assert stream.status == 401
    assert [m.sender.user for m in desk.said] == ["sub:alice"]


async def test_an_open_connection_ends_with_the_identity() -> None:
    def ahead() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=629.7)  # the JWT has 0.3 s left, the leeway counted

    async with site(clock=ahead) as (_, base), socket(base) as page:
        await page.hello(identity=signed({"sub": "alice", "exp": int(datetime.now(UTC).timestamp()) + 601}))
        code = await page.closed()

    assert code == 1008
    assert page.events[-1]["code"] == "identity_expired"


async def test_an_open_stream_ends_with_the_identity() -> None:
    times = [NOW]
    async with site(clock=lambda: times[-1]) as (_, base), posting() as http:
        token = (await posted(http, base, {"type": "hello", "identity": alice(-29)}))[1]["visitor"]
        async with posting(token=token) as there, there.get(f"{base}/events") as stream:
            times.append(NOW + timedelta(seconds=5))
            ((_, told),) = await first(streamed(stream), 1)

    assert told["code"] == "identity_expired"


async def test_an_unknown_token_makes_a_new_visitor() -> None:
    async with site() as (_, base), socket(base) as page, socket(base) as other:
        known, new = await page.hello(), await other.hello("never given out")

    assert new["type"] == "welcome"
    assert new["conversation"] != known["conversation"]


async def test_the_key_is_made_once_and_kept() -> None:
    desk = Desk()
    async with site(desk) as (_, base), posting() as http:
        for _ in range(3):
            await posted(http, base, {"type": "hello"})
        kept = dict(desk.notes)
    async with site(desk) as (_, base), posting() as http:
        await posted(http, base, {"type": "hello"})

    assert list(kept) == ["visitor_key"]
    assert len(bytes.fromhex(kept["visitor_key"])) == 32
    assert desk.notes == kept


async def test_another_s_token_inside_a_message_changes_nothing() -> None:
    async with site() as (desk, base), socket(base) as one, socket(base) as thief:
        welcome = await one.hello()
        await thief.hello()
        theirs = {"visitor": welcome["visitor"], "conversation": welcome["conversation"]}
        await thief.say({"type": "message", "id": "1", "text": "我是谁", **theirs})
        await thief.next("reply")

    assert desk.said[0].conversation.id != welcome["conversation"]
