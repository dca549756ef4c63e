"""The questions of ``init``: which models, and whether the commands found are the gates."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from director.command_line.context import Context
from director.command_line.dialogs.questions import Questions
from director.command_line.screens.init_words import binding_words, gate_lines, shown
from director.diagnosing.commands_found import FoundCommands
from director.model.errors import RequestError
from director.model.offers import Binding, Offer
from director.reporting.terminal.style import Paint, Span, Style

YES = frozenset(("", "y", "yes"))
NO = frozenset(("n", "no"))


class Choosing:
    """Asks a person, in ``style``; RequestError when the input ends."""

    def __init__(self, context: Context, style: Style) -> None:
        self._questions = Questions(context)
        self._style = style

    def tell(self, *lines: Span) -> None:
        """Show something that is no question."""
        self._questions.tell(shown(lines, self._style))

    def binding(self, found: Sequence[Binding], offers: Sequence[Offer]) -> Binding:
        """Return the binding that a person chooses of ``found``, or names; the first is best."""
        self.tell(Span("\nWhich models? (US dollars per million tokens, in / out)\n", Paint.BOLD))
        for number, one in enumerate(found, 1):
            best = number == 1
            title = f"  {number}  {one.title}{'   (recommended)' if best else ''}"
            self.tell(Span(title, Paint.GREEN if best else Paint.PLAIN), Span(binding_words(one)))
        self.tell(Span("  m  name the models yourself\n"))
        while True:
            answer = self._answer("Choose [1]:").lower() or "1"
            if answer == "m":
                strong = self._named("Model that plans, writes tests and reviews:", offers)
                return Binding("named", strong, self._named("Model that implements:", offers))
            if answer.isdecimal() and 1 <= int(answer) <= len(found):
                return found[int(answer) - 1]
            self.tell(Span(f"Answer with a number from 1 to {len(found)}, or m."))

    def confirmed(self, found: FoundCommands) -> bool:
        """Whether the commands that were found are to be the gates."""
        self.tell(Span("\nFound in the repository:\n", Paint.BOLD), *gate_lines(found))
        question = "\nPut these into [gates]? [Y/n]"
        while (answer := self._answer(question).lower()) not in YES | NO:
            question = "Answer with y or n. [Y/n]"
        return answer in YES

    def _named(self, question: str, offers: Sequence[Offer]) -> Offer:
        known = {one.tier: one for one in offers}
        while True:
            answer = self._answer(question)
            if answer in known:
                return known[answer]
            near = difflib.get_close_matches(answer, known, 5, 0.4)
            listed = ", ".join(near or list(known)[:8])
            said = f"{answer or 'That'} is not offered. Some that are: {listed}"
            self.tell(Span(said, Paint.YELLOW))

    def _answer(self, question: str) -> str:
        answer = self._questions.ask(question)
        if answer is None:
            raise RequestError("the input ended", "nothing was written; run `director init` again")
        return answer
