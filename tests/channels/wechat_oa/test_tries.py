"""Which try of a message it is."""

from datetime import UTC, datetime, timedelta

from channels.wechat_oa.tries import Tries

SENT = datetime.fromtimestamp(1_700_000_000, UTC)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def number(tries: Tries, *, after: float = 0.0, fresh: bool = False, ours: float | None = None, key: str = "1") -> int:
    """A try that WeChat signs so many seconds after the message; our clock says `ours`."""
    now = SENT + timedelta(seconds=after if ours is None else ours)
    return tries.number(key, fresh=fresh, sent_at=SENT, signed_at=SENT.timestamp() + after, now=now)


def tries() -> Tries:
    return Tries(most=3, cut=5.0)


def test_tries_count_up_to_the_last() -> None:
    counted = tries()

    assert [number(counted, after=s, fresh=s == 0) for s in (0, 5, 10, 15)] == [1, 2, 3, 3]


def test_a_try_that_overlaps_the_one_before_is_the_next() -> None:
    counted = tries()

    assert [number(counted, after=s, fresh=s == 0) for s in (0, 4, 8)] == [1, 2, 3]


def test_messages_are_counted_apart() -> None:
    counted = tries()

    assert [number(counted, key=key, fresh=True) for key in "abc"] == [1, 1, 1]


def test_after_a_restart_a_message_that_was_stored_is_at_its_second_try() -> None:
    assert number(tries(), after=0, ours=1) == 2
    assert number(tries(), after=0, ours=11) == 3


def test_a_message_without_a_time_that_was_stored_is_at_its_second_try() -> None:
    assert tries().number("1", fresh=False, sent_at=None, signed_at=0.0, now=SENT) == 2
    assert tries().number("1", fresh=True, sent_at=None, signed_at=0.0, now=SENT) == 1


def test_a_try_that_the_hub_was_not_there_for_counts_by_the_clock_of_wechat() -> None:
    """The first two were answered with 503, so the message is fresh, and still this is the last chance."""
    assert number(tries(), after=10, fresh=True) == 3
    assert number(tries(), after=6, fresh=True) == 2


def test_a_clock_of_ours_that_is_wrong_changes_nothing_for_a_new_message() -> None:
    assert number(tries(), after=0, fresh=True, ours=500) == 1
    assert number(tries(), after=0, fresh=True, ours=-500) == 1


def test_what_is_over_is_forgotten() -> None:
    clock = Clock()
    counted = Tries(most=3, cut=5.0, clock=clock)
    number(counted, fresh=True)
    clock.seconds = 31.0
    number(counted, fresh=True, key="2")

    assert list(counted._seen) == ["2"]
