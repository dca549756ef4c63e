"""Reading the JSON object in a model's answer, wherever the model put it."""

from __future__ import annotations

import json
from typing import Any


class NoAnswerError(Exception):
    """The answer holds no whole JSON object; the text says what was found instead."""


def json_object(text: str) -> dict[str, Any]:
    """Return the largest JSON object in ``text``, which may stand in a fence or amid prose.

    Raises NoAnswerError, with the JSON error for an object that is cut off.
    """
    decoder = json.JSONDecoder()
    end_of_text = len(text.rstrip())
    best: tuple[int, dict[str, Any]] | None = None
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
            best = (end - position, value)
        position = text.find("{", end)
    if best is not None:
        return best[1]
    if first_error is not None:
        raise NoAnswerError(f"the JSON object in the answer cannot be read: {first_error}")
    raise NoAnswerError("the answer holds no JSON object, only prose" if text else "it is empty")
