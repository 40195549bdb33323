"""Secrets never show themselves."""

from config.secret import Secret, password


def test_a_secret_shows_nothing() -> None:
    secret = Secret("p4ss")

    assert (repr(secret), str(secret), f"{secret}") == ("Secret('…')",) * 3


def test_secrets_compare_by_value() -> None:
    assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("b"), Secret("a")}
    assert Secret("a") != "a"


def test_the_password_of_an_address_is_found() -> None:
    found = [password(Secret(url)) for url in ("amqp://u:pw@h", "amqp://h", "", "amqp://u:pw@[h")]

    assert found == ["pw", "", "", ""]
