"""When something ends that somebody told for a time: "下周前", "到周五为止", "这个月都", "三天内". Pure.

Days are those of the hub's time zone; an end is the midnight at which it no longer holds.
"""

import re
from calendar import monthrange
from datetime import datetime, timedelta

NUMBERS = {character: number for number, character in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "几": 5}
WEEKDAYS = {character: number for number, character in enumerate("一二三四五六日")} | {"天": 6}
WHEN = (
    r"(?:(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]?"
    r"|(?P<next>下个?)?(?:这个?|本)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    r"|(?P<near>今天|明天|后天)"
    r"|(?P<which>[下这本])个?(?P<whole>周|星期|礼拜|月)|(?P<end>月底|年底|今年))"
)
COUNT = r"(?:未来|接下来|这)?(?P<count>\d{1,3}|[一二三四五六七八九十两几])个?(?P<unit>天|日|周|星期|礼拜|月)"
NOW = "现在"
STAYS = r"(?:都|先|暂时|只)"
BEFORE = re.compile(rf"[在到]?{WHEN}(?:之前|以前|前){STAYS}?[,，]?")
THROUGH = re.compile(rf"(?:直到|截至|截止到?){WHEN}(?:为止)?{STAYS}?[,，]?")
FOR = (
    re.compile(rf"到?{WHEN}(?:为止|(?:之?内|以内|期间)?(?={STAYS})){STAYS}?[,，]?"),
    re.compile(rf"{COUNT}(?:(?:之?内|以内){STAYS}?|{STAYS})[,，]?"),
)


def until(text: str, now: datetime) -> tuple[str, datetime | None]:
    """The text, NOW in the place of the words that say until when it holds, and that moment; None: for good."""
    today = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    if found := BEFORE.search(text):
        end = _begins(found, today)
    elif found := THROUGH.search(text) or FOR[0].search(text):
        end = _ends(found, today)
    elif found := FOR[1].search(text):
        end = today + _span(found) + timedelta(days=1)
    else:
        return text, None
    return text[: found.start()] + NOW + text[found.end() :], end


def _span(found: re.Match[str]) -> timedelta:
    count = int(found["count"]) if found["count"].isdigit() else NUMBERS[found["count"]]
    return timedelta(days=count * {"天": 1, "日": 1, "月": 30}.get(found["unit"], 7))


def _begins(found: re.Match[str], today: datetime) -> datetime:
    """The first moment of what was named."""
    monday = today - timedelta(days=today.weekday())
    if found["month"]:
        return _date(today, int(found["month"]), int(found["day"]))
    if found["weekday"]:
        day = monday + timedelta(days=WEEKDAYS[found["weekday"]] + (7 if found["next"] else 0))
        return day if found["next"] or day >= today else day + timedelta(days=7)
    if found["near"]:
        return today + timedelta(days=["今天", "明天", "后天"].index(found["near"]))
    if found["end"]:
        return _first(today, 1) if found["end"] == "月底" else today.replace(year=today.year + 1, month=1, day=1)
    if found["whole"] == "月":
        return _first(today, 1 if found["which"] == "下" else 0)
    return monday + timedelta(days=7 if found["which"] == "下" else 0)


def _ends(found: re.Match[str], today: datetime) -> datetime:
    """The first moment after what was named."""
    begin = _begins(found, today)
    if found["end"]:
        return begin
    if found["whole"]:
        return _first(begin, 1) if found["whole"] == "月" else begin + timedelta(days=7)
    return begin + timedelta(days=1)


def _first(day: datetime, later: int) -> datetime:
    """The first day of the month so many months later."""
    years, month = divmod(day.month - 1 + later, 12)
    return day.replace(year=day.year + years, month=month + 1, day=1)


def _date(today: datetime, month: int, day: int) -> datetime:
    """That day of this year, or of the next where it is over. A day that no month has is its last."""
    month = min(max(month, 1), 12)
    year = today.year + ((month, day) < (today.month, today.day))
    return today.replace(year=year, month=month, day=min(max(day, 1), monthrange(year, month)[1]))
