"""Which URLs are followed."""

import pytest

from channels.kit.hosts import trusted

HOSTS = (".dingtalk.com", "qyapi.weixin.qq.com")


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://oapi.dingtalk.com/x", "https://api.dingtalk.com"),
        ("wss://wss-open.dingtalk.com:443/connect?ticket=a%2B", "https://api.dingtalk.com"),
        ("https://qyapi.weixin.qq.com/x", "https://api.dingtalk.com"),
        ("http://127.0.0.1:9002/x?y=z", "http://127.0.0.1:9002"),
        ("ws://127.0.0.1:9002/x", "http://127.0.0.1:9002/"),
        ("https://proxy.example:8443/x", "https://proxy.example:8443"),
    ],
)
def test_the_platform_and_the_configured_base_are_trusted(url: str, base: str) -> None:
    assert trusted(url, base, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "https://evil.example/x",
        "https://dingtalk.com.evil.example/x",
        "https://evildingtalk.com/x",
        "http://oapi.dingtalk.com/x",
        "https://oapi.dingtalk.com:8443/x",
        "https://oapi.dingtalk.com@evil.example/x",
        "https://user:word@oapi.dingtalk.com/x",
        "https://sub.qyapi.weixin.qq.com/x",
        "http://127.0.0.1:9/x",
        "https://127.0.0.1:9002/x",
        "http://[::1]:9002/x",
        "http://127.0.0.1:99999/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1:9002/x",
        "//127.0.0.1:9002/x",
        "http://127.0.0.1:9002\\@evil.example/",
    ],
)
def test_nobody_else_is(url: str) -> None:
    assert not trusted(url, "http://127.0.0.1:9002", HOSTS)
