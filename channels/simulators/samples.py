"""What to write into hub.toml so that a platform can be played by somebody who has no account there."""

from collections.abc import Mapping
from typing import Final

from channels.registry import KINDS

VARIABLES: Final[Mapping[str, str]] = {
    "SIMULATED_SECRET": "any-words-of-32-characters-or-more",
    "SIMULATED_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}
"""Of the environment; the second is what the platforms call EncodingAESKey."""
SECRET, KEY = 'env:SIMULATED_SECRET"', 'env:SIMULATED_KEY"'
SEALED = f'token = "{SECRET}\nencoding_aes_key = "{KEY}\n'
HERE = 'api_base = "http://127.0.0.1:9001"\n'

SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "wechat_oa": ("oa", f'{HERE}app_id = "wx0123456789abcdef"\napp_secret = "{SECRET}\npush = true\n{SEALED}'),
    "wecom": ("work", f'{HERE}corp_id = "ww0123456789abcdef"\nagent_id = 1000002\nsecret = "{SECRET}\n{SEALED}'),
    "wecom_bot": ("bot", f"{HERE}{SEALED}"),
    "wechat_kf": ("kf", f'{HERE}corp_id = "ww0123456789abcdef"\nsecret = "{SECRET}\n{SEALED}'),
    "feishu": (
        "lark",
        f'{HERE}app_id = "cli_0123456789abcdef"\napp_secret = "{SECRET}\nverification_token = "{SECRET}\n'
        f'encrypt_key = "{SECRET}\n',
    ),
    "dingtalk": ("ding", f'{HERE}client_id = "ding0123456789"\nclient_secret = "{SECRET}\n'),
    "h5": ("web", ""),
}
"""By kind: the name of the channel, and its section after `kind`."""
assert set(SECTIONS) == set(KINDS)  # noqa: S101 — a kind without a sample is found when this is imported


def section(kind: str) -> str:
    """The section of hub.toml."""
    name, keys = SECTIONS[kind]
    return f'[channels.{name}]\nkind = "{kind}"\n{keys}'


def advice(kind: str) -> str:
    """What somebody does whose hub.toml has no such channel."""
    values = " ".join(f"{name}={value}" for name, value in VARIABLES.items())
    given = f"set what it names, in this terminal and in that of the hub:\n\n    export {values}\n\nthen " * (
        kind != "h5"
    )
    lines = "".join(f"    {line}\n" for line in section(kind).splitlines())
    return f"To try it without an account, add this to the file:\n\n{lines}\n{given}start the hub again, and this."
