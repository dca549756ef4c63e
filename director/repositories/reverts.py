"""Commits that take others back, as `git revert` words them."""

from director.repositories.git import Git


def standing_revert(git: Git, commit: str, tip: str) -> str | None:
    """Return the commit on the way to ``tip`` that reverted ``commit``; None: none still does.

    One that was itself reverted does not.
    """
    words = f"--grep=This reverts commit {commit}"
    found = git.output("log", "--format=%H", "--fixed-strings", words, f"{commit}..{tip}")
    reverts = found.decode().split()
    return next((one for one in reverts if standing_revert(git, one, tip) is None), None)
