"""No kind of channel is left out, and whoever is excused says why."""

from channels.registry import KINDS
from tests.channels.conformance.case import Case
from tests.channels.conformance.world import cases


def test_every_kind_of_channel_has_a_case() -> None:
    assert {case.kind for case in cases()} == set(KINDS)


def test_cases_have_names_of_their_own() -> None:
    names = [str(case) for case in cases()]

    assert sorted(set(names)) == sorted(names)


def test_an_excuse_is_a_reason(case: Case) -> None:
    excuses = [case.no_age, case.no_signed_body, case.no_api]

    assert [excuse for excuse in excuses if excuse and len(excuse.split()) < 5] == []
