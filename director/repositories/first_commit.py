"""A folder that is to become a repository: ``git init`` and a first commit of what is in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from director.model.errors import RequestError
from director.repositories.git import Git
from director.repositories.repository import OWN_FOLDER, open_repository

MESSAGE = "Initial commit"


class FirstCommit(NamedTuple):
    """What was made: a repository, if there was none, and the commit (None: there was one)."""

    initialised: bool
    commit: str | None


def begin_repository(folder: Path, env: Mapping[str, str]) -> FirstCommit:
    """Make a repository of ``folder`` where it is in none, and a first commit where none is.

    What git ignores stays out of the commit, and so do director's records; an empty folder gets an
    empty commit. Nothing changes in a repository that has commits. Raises RequestError where there
    is no folder, GitError where git fails.
    """
    if not folder.is_dir():
        raise RequestError(f"there is no folder {folder}", "name another with --repo")
    git = Git.at(folder, env, GIT_LITERAL_PATHSPECS="0")
    initialised = not git.ok("rev-parse", "--git-dir")
    if initialised:
        git.output("init", "--quiet")
    repository = open_repository(folder, env)
    if git.ok("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        return FirstCommit(initialised, None)
    git = Git.at(repository.root, env, GIT_LITERAL_PATHSPECS="0", **repository.identity())
    git.output("add", "--all", "--", ".", f":(exclude){OWN_FOLDER.rstrip('/')}")
    git.output("commit", "--quiet", "--allow-empty", "--message", MESSAGE)
    return FirstCommit(initialised, git.text("rev-parse", "HEAD"))
