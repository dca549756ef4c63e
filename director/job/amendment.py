"""An amendment that is open: one node of an approved plan is being changed.

Its record is there from the moment the node may be edited until what came of it is sealed, on the
branch and in the state. So a command that was killed anywhere in between is made again by the same
command, and nothing runs meanwhile.
"""

from typing import NamedTuple

from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.plan import Node
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.stored import read_stored

RESTORE = "restore it, or remove it and restore plan.json as sealed.json has it"


class Amendment(NamedTuple):
    """The content of ``amending.json``: which node, since when, and what it was ``before``.

    ``words`` are those in which models are asked to rewrite it now ("": they are not).
    ``planned``: the planner's answer to them is in plan.json. ``rewrites_tests``: they are to be
    written again after that, because of the ``problem`` with them that it names.
    """

    node: str
    since: str
    before: Node
    words: str = ""
    planned: bool = False
    rewrites_tests: bool = False
    problem: str = ""

    def asking(self, words: str) -> "Amendment":
        """Return the amendment for which models are asked ``words``, where they were not before."""
        if words == self.words:
            return self
        return self._replace(words=words, planned=False, rewrites_tests=False, problem="")


def read_amendment(directory: JobDirectory) -> Amendment | None:
    """Return the amendment that is open, if any; RequestError where its record is damaged."""
    return read_stored(Amendment, directory.amending, RESTORE)


def write_amendment(directory: JobDirectory, amendment: Amendment) -> None:
    """Put on record that an amendment is open, and where it stands."""
    files.write_json(directory.amending, encode(amendment))


def refuse_amending(directory: JobDirectory) -> None:
    """Raise RequestError while an amendment is open: plan and tests may be half edited."""
    if amendment := read_amendment(directory):
        raise being_amended(amendment)


def being_amended(amendment: Amendment) -> RequestError:
    """Return the error for what has to wait for the end of an amendment."""
    command = f"director amend {amendment.node}"
    return RequestError(
        f"node {amendment.node} is being amended",
        f"`{command} --continue` approves it as it is now, `{command} --cancel` undoes that",
    )
