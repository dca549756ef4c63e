"""Where the work of a job went."""

from typing import NamedTuple

from director.model.format import counted

PR = "pr"  # of ``how``: it was pushed, and waits for others


class Landed(NamedTuple):
    """``landed.json``: ``commit`` is the one on the branch ``onto`` that holds the job's work.

    ``how`` is ``merge``, ``squash`` or ``pr``; of the last ``commit`` is what was pushed, and
    ``url`` the pull request, where it is known. ``at`` is a moment, ``tip`` where the job branch
    stood, ``partial`` whether nodes were left out. In the files ``resolved`` the branch and the job
    conflicted, and the model ``resolved_by`` resolved that.
    """

    onto: str
    commit: str
    how: str
    at: str
    tip: str = ""
    partial: bool = False
    url: str = ""
    resolved: tuple[str, ...] = ()
    resolved_by: str = ""

    def in_words(self) -> str:
        """Return what happened, in a few words."""
        part = " in part" if self.partial else ""
        if self.how == PR:
            where = f" ({self.url})" if self.url else ""
            return f"a pull request for {self.onto} was pushed{part}{where}{self._resolutions}"
        how = f"as {self.commit[:10]} ({self.how})"
        return f"landed{part} on {self.onto} {how}{self._resolutions}"

    @property
    def _resolutions(self) -> str:
        if not self.resolved:
            return ""
        return f"; {counted(len(self.resolved), 'conflict')} resolved by {self.resolved_by}"
