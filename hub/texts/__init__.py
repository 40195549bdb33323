"""What the hub itself says to people, one file a language, Chinese first.

A text that is missing in a language is a type error. Nothing of the inside ever stands in one.
"""

from dataclasses import dataclass

from hub.language import spoken
from hub.person import Language


@dataclass(frozen=True, slots=True)
class WebTexts:
    """Why the web widget's protocol does not do what a page asked for: a text for each code of its `error` event."""

    unreadable: str
    too_large: str
    no_hello: str
    greeted: str
    unknown_visitor: str
    identity_refused: str
    identity_expired: str
    origin_refused: str
    rate_limited: str
    """`{seconds}` until the next message is taken."""
    crowded: str
    not_stored: str
    no_model: str
    """On the page at /, in place of a model's name."""


@dataclass(frozen=True, slots=True)
class MemoryTexts:
    """What a person is told about what is kept of them."""

    code: str
    """`{code}`, with how to use it."""
    wrong_code: str
    linked: str
    linked_elsewhere: str
    """To the side that gave the code."""
    unlinked: str
    unlinked_last: str
    """One link is undone, and there are others."""
    parted: str
    """Verified ids showed that a linked account is another person's."""
    privately: str
    """No code is given in a group."""
    not_linked: str
    known: str
    """Before the list of facts, with its colon."""
    line: str
    """A fact of that list: `{number}`, `{fact}`."""
    pinned_line: str
    """The same of one that is pinned."""
    how: str
    """Below the list: what can be done with a fact."""
    bans: str
    """What is not remembered: `{bans}`."""
    pinned: str
    """`{fact}`."""
    unpinned: str
    """`{fact}`."""
    forbidden: str
    """`{what}` is not remembered from now on."""
    allowed: str
    no_number: str
    """The list has no fact of this number."""
    no_ban: str
    """There is no such thing that is not to be remembered."""
    nothing: str
    forget: str
    """Asks for the confirmation; `confirm` stands in it in quotes."""
    confirm: str
    forgotten: str


@dataclass(frozen=True, slots=True)
class ConfirmTexts:
    """What is said around a question that a person has to say yes to before a tool acts."""

    ask: str
    """The question of a tool that declares none: `{tool}`, and its `{arguments}`, a line each."""
    argument: str
    """One of those lines: `{name}`, `{value}`."""
    nothing: str
    """In place of a value that is empty."""
    until: str
    """Below every question: `{minutes}`."""
    yes: str
    no: str
    declined: str
    done: str
    """It was answered before."""
    late: str
    """The question stands no more."""
    other: str
    """Somebody pressed the button of a question that was put to another person."""


@dataclass(frozen=True, slots=True)
class ToolTexts:
    """What a person is told of a tool where no model speaks."""

    nothing: str
    """Nothing was found."""
    failed: str
    """It did not work."""
    unsure: str
    """Nobody knows whether it was done."""
    not_linked: str
    """It is only for people who are known, and how to become so."""
    in_group: str
    """It tells about a person, and others read along."""
    missing: str
    """It needs to know more: `{names}`."""


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
    file_read: str
    """A file came without a question, and was read: `{names}`."""
    file_unread: str
    """A file came that can't be read: too large, gone, or of another kind."""
    picture_seen: str
    """A picture came without a question, and can be looked at."""
    not_seen: str
    """Below an answer: what came with the words could not be looked at."""
    sources: str
    """The word before the list of sources, with its colon."""
    below: str
    """In place of an answer that could not be shown where it was to grow: it comes as a message of its own."""
    taken: str
    """A button was pressed: a few words that show for a moment."""
    later: str
    """The answer takes longer than the place where it was to grow lasts; it is sent by itself."""
    received: str
    """The message was taken and needs no answer now (a person has taken over)."""
    queued: str
    """A person was asked for, and the customer waits for one."""
    back: str
    """Behind `queued`: how to go back to the agent."""
    returned: str
    """People handed back to the agent."""
    wanted: str
    """To operators: `{conversation}`, `{channel}` and the last words, `{text}`."""
    human: str
    """The command that asks for a person, as somebody may press or say it."""
    choose: str
    """Before choices that are to be said: `{choices}`."""
    pick: str
    """The title of a card whose text has none of its own: something is to be pressed."""
    picked: str
    """On a button after it was pressed."""
    web: WebTexts
    memory: MemoryTexts
    tools: ToolTexts
    confirm: ConfirmTexts

    meant: str
    """Says how a question was understood that was mistyped: {question}."""
    related: str
    """The knowledge does not hold the answer, but perhaps something near it: `{passage}`."""
    perhaps: str
    """Before the approved questions that are close to what was asked, which may be pressed or said."""
    greeting: str
    """Somebody says hello, and no model is there to answer."""
    thanks: str
    """Somebody says thanks."""
    acknowledged: str
    """Somebody says that it is well."""
    goodbye: str
    """Somebody takes leave."""
    introduction: str
    """Somebody asks who the agent is or what it can do."""
    remembered: str
    """What the person had told, asked for again: `{fact}`."""


def texts(language: Language) -> Texts:
    """The texts in this language."""
    from hub.texts import en, zh  # here, because they need Texts

    return zh.TEXTS if language == "zh" else en.TEXTS


def beside(words: str) -> Texts:
    """The texts in the language of what they stand beside; Chinese where that tells nothing."""
    return texts(spoken(words) or "zh")
