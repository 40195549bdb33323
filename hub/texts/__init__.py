"""What the hub itself says to people, one file a language, Chinese first.

A text that is missing in a language is a type error. Nothing of the inside ever stands in one.
"""

from dataclasses import dataclass

from hub.person import Language


@dataclass(frozen=True, slots=True)
class Texts:
    """Every sentence of the hub's own. `{name}` marks are filled with str.format by the caller."""

    failed: str
    """The last sentence when nothing else can be said."""
    unknown: str
    """The knowledge does not hold the answer."""
    pending: str
    """The answer is not ready; the person's next message brings it. One line."""
    more: str
    """The rest of a long answer comes with the person's next message. One line."""
    welcome: str
    """Somebody follows the account or opens the chat."""
    only_words: str
    """A picture, a video, a sticker … came that the agent can't read."""
    sources: str
    """The word before the list of sources, with its colon."""
    below: str
    """In place of an answer that could not be shown where it was to grow: it comes as a message of its own."""
    choose: str
    """Before choices that are to be said: `{choices}`."""


def texts(language: Language) -> Texts:
    """The texts in this language."""
    from hub.texts import en, zh  # here, because they need Texts

    return zh.TEXTS if language == "zh" else en.TEXTS
