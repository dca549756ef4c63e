"""Questions of a planner that lacks a decision: laid out for a person, and how they are answered.

The file is Markdown that is easy to edit: a section for each question, its options as boxes, and a
line for an answer in other words. If nothing is marked, the recommended option counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from director.model.patterns import lazy_pattern

PERSON = "person"
RECOMMENDATION = "recommendation"
OPEN = "decide as you think best"  # a question without options, and without an answer
RECOMMENDED = "(recommended)"
LETTERS = "abcdefghijklmnopqrstuvwxyz"  # of options

_SECTION = lazy_pattern(r"^##[ \t]+(\d+)\b.*$", re.MULTILINE)
_BOX = lazy_pattern(r"^\s*[-*+]\s*\[\s*([^\]\s]?)\s*\]\s*(.*)$")
_FREE = lazy_pattern(r"^\s*answer\s*:", re.IGNORECASE | re.MULTILINE)
_LETTER = lazy_pattern(r"^([a-zA-Z])\s*[:.)]\s+")
_PAIR = lazy_pattern(r"\s*(\d+)\s*[:.)=]\s*(.*)", re.DOTALL)


class AnswerError(ValueError):
    """An answer that cannot be understood; the text says why, in a sentence."""


class Question(NamedTuple):
    """What is to be decided. ``recommended`` is the index of an option; ``why`` it matters."""

    question: str
    options: tuple[str, ...] = ()
    recommended: int = 0
    why: str = ""

    @property
    def advice(self) -> str:
        """The answer that counts where no person gives one."""
        return self.options[self.recommended] if self.options else OPEN


class Decision(NamedTuple):
    """A question with its answer. ``by`` says whose it is: PERSON or RECOMMENDATION."""

    question: str
    answer: str
    by: str = PERSON


def option_lines(question: Question) -> list[tuple[str, str]]:
    """Return (letter, option), the recommended one marked."""
    return [
        (letter, f"{option} {RECOMMENDED}" if index == question.recommended else option)
        for index, (letter, option) in enumerate(zip(LETTERS, question.options, strict=False))
    ]


def laid_out(questions: Sequence[Question], task: str, command: str) -> str:
    """Return the file for a person to edit; ``command`` is what continues afterwards."""
    head = (
        f"# Questions about: {' '.join(task.split())[:200]}\n\n"
        "Put an x into the box of an option, or write an answer of your own after `Answer:`.\n"
        f"If nothing is marked, the recommended option counts. Then: `{command}`\n"
    )
    return "\n".join([head, *(_section(n, one) for n, one in enumerate(questions, 1))])


def _section(number: int, question: Question) -> str:
    lines = [f"## {number}. {question.question}", ""]
    if question.why:
        lines += [f"> {question.why}", ""]  # quoted, it cannot be taken for an answer
    lines += [f"- [ ] {letter}: {option}" for letter, option in option_lines(question)]
    return "\n".join([*lines, *([""] if question.options else []), "Answer:", ""])


def marked(text: str, questions: Sequence[Question]) -> dict[int, str]:
    """Return number → answer of the questions that are answered in the edited file.

    AnswerError for a section without a question, or an answer that is none of the options.
    """
    found: dict[int, str] = {}
    parts = _SECTION.split(text)[1:]
    for number, body in zip(map(int, parts[::2]), parts[1::2], strict=True):
        question = _asked(number, questions)
        chosen, free = _ticked(body), _free(body)
        answers = [*chosen, *([_understood(number, question, free)] if free else [])]
        if answers:
            found[number] = "; ".join(dict.fromkeys(answers))
    return found


def _ticked(body: str) -> list[str]:
    boxes = filter(None, map(_BOX.match, _FREE.split(body, maxsplit=1)[0].splitlines()))
    return [_plain_option(box[2]) for box in boxes if box[1]]


def _plain_option(line: str) -> str:
    return _LETTER.sub("", line.strip().removesuffix(RECOMMENDED).strip())


def _free(body: str) -> str:
    parts = _FREE.split(body, maxsplit=1)
    return " ".join(parts[1].split()) if len(parts) > 1 else ""


def given(pairs: Iterable[str], questions: Sequence[Question]) -> dict[int, str]:
    """Return number → answer of ``pairs`` like "1: b" or "2: in words of one's own".

    AnswerError for what is not such a pair, or answers no question.
    """
    found: dict[int, str] = {}
    for pair in pairs:
        read = _PAIR.fullmatch(pair)
        if read is None or not read[2].strip():
            raise AnswerError(
                f"{pair!r} is not an answer: an answer begins with the number of a question"
            )
        number = int(read[1])
        if number in found:
            raise AnswerError(f"question {number} is answered twice")
        question = _asked(number, questions)
        found[number] = _understood(number, question, " ".join(read[2].split()))
    return found


def _asked(number: int, questions: Sequence[Question]) -> Question:
    if not 1 <= number <= len(questions):
        numbers = "1" if len(questions) == 1 else f"1 to {len(questions)}"
        raise AnswerError(f"there is no question {number}: their numbers are {numbers}")
    return questions[number - 1]


def _understood(number: int, question: Question, answer: str) -> str:
    """Return the option that is said, or named by its letter, else the answer as it is."""
    if same := [one for one in question.options if one.casefold() == answer.casefold()]:
        return same[0]
    letter = answer.rstrip(".:)").lower()
    if not question.options or len(letter) != 1 or letter not in LETTERS:
        return answer
    index = LETTERS.index(letter)
    if index >= len(question.options):
        last = LETTERS[len(question.options) - 1]
        raise AnswerError(f"question {number} has the options a to {last}, not {letter}")
    return question.options[index]


def decided(questions: Sequence[Question], answers: Mapping[int, str]) -> tuple[Decision, ...]:
    """Return a decision for each question: what was answered, else what is recommended."""
    return tuple(
        Decision(one.question, answers[number])
        if number in answers
        else Decision(one.question, one.advice, RECOMMENDATION)
        for number, one in enumerate(questions, 1)
    )
