"""The breaker, with a clock of the test's own."""

from agent.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, pause=15, clock=clock)
    for _ in range(3):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_single_failures_change_nothing() -> None:
    breaker = Breaker(failures=3, pause=15, clock=Clock())
    for _ in range(20):
        breaker.failed()
        assert breaker.admits()
        breaker.succeeded()

    assert breaker.state == "closed"


def test_failures_in_a_row_open_it() -> None:
    breaker = opened(Clock())

    assert breaker.state == "open"
    assert not breaker.admits()


def test_after_the_pause_one_question_tries() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 15

    assert [breaker.admits(), breaker.admits(), breaker.admits()] == [True, False, False]


def test_a_try_that_succeeds_closes_it() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 15
    breaker.admits()
    breaker.succeeded()

    assert breaker.state == "closed"


def test_a_try_that_fails_opens_it_for_another_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 15
    breaker.admits()
    breaker.failed()
    clock.now += 14

    assert not breaker.admits()
    clock.now += 1
    assert breaker.admits()


def test_a_try_that_nobody_waits_for_lets_another_try() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 15
    breaker.admits()
    breaker.gave_up()

    assert breaker.admits()
