"""A model's words on their way to a person: nothing of its thoughts, no control characters, no marks that lead nowhere.

Words come in pieces of any size. What could still be the beginning of a mark or a tag is held back until it is clear,
so that what was shown never has to be taken back.
"""

import re

from agent.engine import Shelf

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters, invisible ones, those that turn the direction of writing, and halves of characters."""

THOUGHT = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
MARK = re.compile(
    r"(?:(?<!\s)\s+)?[\[【［] ?(?:\^|来源|资料|source)? ?(\d{1,3}(?: ?[,，、;；] ?\d{1,3}){0,9}) ?[\]】］]",
    re.IGNORECASE,
)
OPEN = re.compile(r"(?:[\[【［][^\[【［\]】］\n]{0,24}|</?[a-zA-Z]{0,9})$")
"""What is held back at the end of a piece: the beginning of a mark or of a tag."""

SPACE = 8
"""Characters of space in a row that are shown."""


class Words:
    """The visible words of one reply, without space around them. `void`: all that was shown until now was a thought."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._held = self._space = ""
        self._thinking = False
        self.text = ""
        self.void = False

    def feed(self, piece: str) -> str:
        """What may be shown after this piece."""
        self.void = False
        self._held += UNSEEN.sub("", piece)
        ready = self._without_thoughts()
        begun = OPEN.search(ready)
        cut = begun.start() if begun and not self._thinking else len(ready)
        self._held = ready[cut:] + self._held
        return self._show(ready[:cut])

    def end(self) -> str:
        """What was held back."""
        rest, self._held = self._held, ""
        return "" if self._thinking else self._show(rest)

    def pause(self) -> str:
        """The model goes on after a tool: what it says then begins a paragraph of its own."""
        shown = self.end()
        self._space = "\n\n"
        return shown

    def _show(self, words: str) -> str:
        words = MARK.sub(self._marks, self._space + words)
        shown = words.rstrip()
        self._space = words[len(shown) :][:SPACE]
        if not self.text:
            shown = shown.lstrip()
        self.text += shown
        return shown

    def _marks(self, found: re.Match[str]) -> str:
        """The marks in one form, without those that stand for no passage."""
        numbers = [int(number) for number in re.findall(r"\d+", found[1])]
        marks = "".join(f"[{number}]" for number in numbers if self._shelf.get(number))
        space = found[0][: len(found[0]) - len(found[0].lstrip())]
        return space + marks if marks else ""

    def _without_thoughts(self) -> str:
        """Takes from what is held all that is clear, without thoughts; a tag that is not yet whole stays held."""
        ready = ""
        while tag := THOUGHT.search(self._held):
            before, self._held = self._held[: tag.start()], self._held[tag.end() :]
            if not tag[1]:
                ready += "" if self._thinking else before
                self._thinking = True
            elif self._thinking:
                self._thinking = False
            else:
                ready = self._take_back()
        if self._thinking:
            self._held = self._held[-12:]
            return ready
        ready, self._held = ready + self._held, ""
        return ready

    def _take_back(self) -> str:
        """A thought ends that never began: some servers leave its first tag to the template of the prompt."""
        self.void, self.text = self.void or bool(self.text), ""
        return ""
