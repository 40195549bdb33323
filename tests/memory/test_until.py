"""Until when something holds, as people say it; told on a Wednesday."""

from datetime import datetime

import pytest

from memory.until import until

WEDNESDAY = datetime(2026, 11, 25, 15).astimezone()


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("下周前都住在上海", (2026, 11, 30)),
        ("我到周五为止住酒店", (2026, 11, 28)),
        ("周五之前别送", (2026, 11, 27)),
        ("下周三前都在家", (2026, 12, 2)),
        ("这个月都在杭州", (2026, 12, 1)),
        ("下个月都在杭州", (2027, 1, 1)),
        ("月底前都在家", (2026, 12, 1)),
        ("今年都住北京", (2027, 1, 1)),
        ("直到12月1日住北京", (2026, 12, 2)),
        ("2月30日前住北京", (2027, 2, 28)),
        ("三天内都在家", (2026, 11, 29)),
        ("接下来2周都在家", (2026, 12, 10)),
        ("明天都在家", (2026, 11, 27)),
    ],
)
def test_a_time_that_was_told_is_an_end(said: str, ends: tuple[int, int, int]) -> None:
    _, end = until(said, WEDNESDAY)

    assert end == WEDNESDAY.replace(year=ends[0], month=ends[1], day=ends[2], hour=0)


@pytest.mark.parametrize("said", ["我今天买了手机", "上周都没收到", "我住在杭州", "周五送到", "三天没收到货"])
def test_a_time_that_only_dates_something_ends_nothing(said: str) -> None:
    assert until(said, WEDNESDAY) == (said, None)
