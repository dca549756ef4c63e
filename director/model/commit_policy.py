"""What the user wants of director's commits: their message, a sign-off, a signature."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, NamedTuple

from director.model.codec.marks import Validate
from director.model.patterns import lazy_pattern

PLACES = ("title", "node", "task", "type")
# https://www.conventionalcommits.org and, for the names, @commitlint/config-conventional.
TYPES = (
    "build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test",
)  # fmt: skip
# Where the planner names none. Release tools make a version of "feat" and "fix": a wrong one of
# these would publish something.
NO_TYPE = "chore"
LONGEST_SUBJECT = 100  # characters; header-max-length of @commitlint/config-conventional
_PLACE = lazy_pattern(r"\{(\w*)\}")


def template_problems(template: str) -> Iterator[str]:
    """Say what is wrong with a template of ``message``; nothing when it can be used."""
    if not template.strip():
        yield 'must not be empty (the default is "{title}")'
    for name in _PLACE.findall(template):
        if name not in PLACES:
            yield f"names {{{name}}}, which is not one of {', '.join(f'{{{p}}}' for p in PLACES)}"
    if not all(line.isprintable() for line in template.splitlines()):
        yield "must hold printable characters only"


class CommitPolicy(NamedTuple):
    """``message`` is a template of what stands above the trailers, PLACES in braces.

    ``signoff`` adds a ``Signed-off-by`` of the committer, ``sign`` a signature as git would.
    """

    message: Annotated[str, Validate(template_problems)] = "{title}"
    signoff: bool = False
    sign: bool = False

    def text(self, values: Mapping[str, str]) -> str:
        """Return the message with ``values`` (one for each of PLACES) filled in.

        Its first line is cut to LONGEST_SUBJECT characters, or is never empty. No value can bring
        a line of its own: each is on one line, in the line of the template that it stands in.
        """
        plain = {name: " ".join(value.split()) for name, value in values.items()}
        filled = _PLACE.sub(lambda found: plain[found[1]], self.message.strip())
        subject, *body = [_harmless(line) for line in filled.splitlines()] or [""]
        subject = _cut(subject or plain["title"])
        rest = "\n".join(body).strip("\n")
        return f"{subject}\n\n{rest}" if rest else subject


def _harmless(line: str) -> str:
    """Return a line that git takes for text: not for the end of the message (git-commit(1))."""
    return re.sub(r">8", "> 8", line.rstrip())


def _cut(subject: str) -> str:
    if len(subject) <= LONGEST_SUBJECT:
        return subject
    return f"{subject[: LONGEST_SUBJECT - 1].rstrip()}…"
