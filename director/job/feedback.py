"""What an attempt taught: for the next one, and for the records."""

from typing import NamedTuple

from director.model.failure import Failure
from director.model.patterns import lazy_pattern
from director.model.state import AttemptOutcome
from director.model.testing.headline import one_line
from director.model.testing.useful_end import MOST_LINES

SENTENCE = lazy_pattern(r".*?[.!?…](?= |$)")


class Feedback(NamedTuple):
    """What the last attempt taught: one paragraph, and the output that goes with it (or "").

    ``kept``: what it left in the allowlisted files is still there for the next one. ``failure`` is
    the same for the records.
    """

    lesson: str
    output: str = ""
    kept: bool = False
    failure: Failure | None = None


def without_gate(outcome: AttemptOutcome, lesson: str, candidate: str = "") -> Failure:
    """Return why an attempt failed that no gate decided on: the lesson's first sentence."""
    said = " ".join(lesson.split())
    found = SENTENCE.match(said)
    headline = one_line(found[0] if found else said)
    excerpt = "" if said == headline else "\n".join(lesson.splitlines()[:MOST_LINES])
    return Failure(outcome, headline=headline, excerpt=excerpt, candidate=candidate)
