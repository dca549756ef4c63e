"""Reading the JSON object in a model's answer, wherever the model put it; and its questions."""

from __future__ import annotations

import json
import re
from typing import Any

from director.model.patterns import lazy_pattern
from director.model.questions import LETTERS, Question

MOST_QUESTIONS = 9
MOST_OPTIONS = 9
QUESTIONS = "questions"
_HEADING = lazy_pattern(r"^#{1,6}[ \t]+\S", re.MULTILINE)


class NoAnswerError(Exception):
    """The answer holds no whole JSON object; the text says what was found instead."""


def json_object(text: str) -> dict[str, Any]:
    """Return the largest JSON object in ``text``, which may be in a fence or within prose.

    Raises NoAnswerError, with the JSON error for an object that is cut off.
    """
    return _found(text)[0]


def _found(text: str) -> tuple[dict[str, Any], str]:
    """Return the object, and the text around it."""
    decoder = json.JSONDecoder()
    end_of_text = len(text.rstrip())
    best: tuple[int, int, dict[str, Any]] | None = None
    first_error: str | None = None
    position = text.find("{")
    while position != -1:
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            if error.pos >= end_of_text or error.msg.startswith("Unterminated"):
                raise NoAnswerError(f"the JSON object in the answer is cut off: {error}") from None
            first_error = first_error or str(error)
            position = text.find("{", position + 1)
            continue
        except (ValueError, RecursionError) as error:  # a number, or nesting, beyond all bounds
            raise NoAnswerError(f"the JSON object in the answer cannot be read: {error}") from None
        # The largest: an answer may quote a small example before the object that was asked for.
        if best is None or end - position > best[0]:
            best = (end - position, end, value)
        position = text.find("{", end)
    if best is not None:
        length, end, value = best
        return value, f"{text[: end - length]}{text[end:]}"
    if first_error is not None:
        raise NoAnswerError(f"the JSON object in the answer cannot be read: {first_error}")
    raise NoAnswerError("the answer holds no JSON object, only prose" if text else "it is empty")


def questions_in(text: str) -> tuple[Question, ...]:
    """Return what an agent asks instead of answering; none where it answers.

    It asks with an object ``{"questions": [...]}`` that stands alone: a text with headings around
    it is an answer that quotes one.
    """
    if f'"{QUESTIONS}"' not in text:
        return ()
    try:
        said, around = _found(text)
    except NoAnswerError:
        return ()
    asked = said.get(QUESTIONS)
    if not isinstance(asked, list) or "nodes" in said or _HEADING.search(around):
        return ()
    return tuple(filter(None, map(_question, asked)))[:MOST_QUESTIONS]


def _question(said: Any) -> Question | None:
    if isinstance(said, str):
        said = {"question": said}
    if not isinstance(said, dict) or not (wording := _line(said.get("question"))):
        return None
    listed = said.get("options")
    found = map(_line, listed if isinstance(listed, list) else ())
    options = list(dict.fromkeys(option for option in found if option))[:MOST_OPTIONS]
    recommended = _recommended(said.get("recommended"), options)
    return Question(wording, tuple(options), recommended, _line(said.get("why")))


def _recommended(said: Any, options: list[str]) -> int:
    """Return the index of the recommended option: said by number from 1, by letter or in words.

    Words that are none of the options become the first one.
    """
    if isinstance(said, int) and not isinstance(said, bool):
        return said - 1 if 1 <= said <= len(options) else 0
    words = _line(said)
    if words.isdigit():
        return _recommended(int(words), options)
    if len(words) == 1 and words.lower() in LETTERS[: len(options)]:
        return LETTERS.index(words.lower())
    if words and words not in options:
        options.insert(0, words)
    return options.index(words) if words else 0


def _line(said: Any) -> str:
    """Return one printable line; "" for what is no text."""
    if not isinstance(said, str):
        return ""
    line = " ".join(said.split())
    return "".join(letter for letter in line if letter.isprintable())
