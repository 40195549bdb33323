"""Numbers that do harm in the wrong hands: recognised by form and check digit, and masked before they are kept.

ID cards by GB 11643-1999's check digit, bank cards by Luhn's (ISO/IEC 7812-1); mobiles and addresses by form.
What may be kept is the operator's decision ([memory] keep).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)
BANK_CARD = re.compile(r"(?<![0-9A-Za-z])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![0-9A-Za-z])")
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
ADDRESS = re.compile(r"(?<=[\u4e00-\u9fff\d])(?:\d{1,5}号楼?|\d{1,3}栋|\d{1,3}幢|\d{1,2}单元|\d{2,5}室)+")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK = "10X98765432"


def is_id_card(text: str) -> bool:
    """Whether the check digit is right."""
    return CHECK[sum(int(d) * w for d, w in zip(text[:17], WEIGHTS, strict=True)) % 11] == text[17].upper()


def is_bank_card(text: str) -> bool:
    """Luhn: from the right, every second digit doubled; the sum of all digits ends in 0."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def masked(text: str, *, mobile: bool = True, address: bool = True) -> str:
    """The text with ID and bank cards hidden, mobiles and house numbers too where that is asked for."""
    text = ID_CARD.sub(lambda m: _stars(m[0], 6, 2) if is_id_card(m[0]) else m[0], text)
    text = BANK_CARD.sub(lambda m: _stars(m[0], 4, 4) if is_bank_card(m[0]) else m[0], text)
    if mobile:
        text = MOBILE.sub(lambda m: _stars(m[0], 3, 4), text)
    if address:
        text = ADDRESS.sub(lambda m: "*" * len(m[0]), text)
    return text


def _stars(text: str, before: int, after: int) -> str:
    return text[:before] + "*" * (len(text) - before - after) + text[-after:]


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be kept as it was said, besides what is not sensitive: "mobile", "address", "id_card", "bank_card"."""

    keep: frozenset[str] = frozenset()

    @classmethod
    def of(cls, keep: Iterable[str]) -> "Policy":
        """From the setting."""
        return cls(frozenset(keep))

    def kept(self, text: str) -> str | None:
        """The text as it may be stored; None when nothing of it is worth keeping."""
        if not {"id_card", "bank_card"} <= self.keep:
            text = masked(text, mobile="mobile" not in self.keep, address="address" not in self.keep)
        elif "mobile" not in self.keep:
            text = MOBILE.sub(lambda m: _stars(m[0], 3, 4), text)
        return text if text.strip("*") else None
