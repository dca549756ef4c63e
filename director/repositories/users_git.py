"""git as the user runs it: with their configuration and their hooks, for what they asked for."""

from __future__ import annotations

from director.processes.capture import Captured, capture
from director.repositories.git import without_git_variables
from director.repositories.repository import Repository


def run_as_user(user: Repository, action: str, *argv: str, whole: bool = True) -> Captured:
    """Run git in the user's checkout as they would, and return how it ended.

    ``action`` is how the reflog calls what it does. ``whole``: a ctrl-C does not cut it in half.
    """
    known = {k: v for k, v in user.identity().items() if k.startswith("GIT_COMMITTER_")}
    told = {"GIT_REFLOG_ACTION": action, "GIT_TERMINAL_PROMPT": "0", **known}
    env = {**without_git_variables(user.caller_env), **told}
    return capture(("git", *argv), user.root, env, interruptible=not whole)


def last_words(done: Captured) -> str:
    """Return in one line why git ended as it did."""
    said = done.err.decode(errors="replace").splitlines()
    lines = [line.strip() for line in said if line.strip() and not line.startswith("hint:")]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (telling or lines or [f"exit code {done.code}"])[0]
