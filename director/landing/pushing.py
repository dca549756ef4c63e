"""Pushing a job's work as a branch, and asking a forge for a pull request."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from director.landing.moving import ACTION
from director.model.errors import RequestError, StoppedError
from director.model.patterns import lazy_pattern
from director.processes.capture import absolute_path, capture
from director.repositories.repository import Repository
from director.repositories.users_git import last_words, run_as_user

TIMEOUT_SECS = 120.0  # of the forge's program
URL = lazy_pattern(r"https?://\S+")
GITHUB, GITLAB = "gh", "glab"


class Request(NamedTuple):
    """A pull request to be made: of the branch ``head``, for ``base``; ``body`` is in a file."""

    head: str
    base: str
    title: str
    body: Path


class Requested(NamedTuple):
    """What became of it: its ``url``, or why there is none and the ``command`` that asks for it."""

    remote: str
    url: str
    command: tuple[str, ...]
    problem: str = ""


def remote_for(user: Repository, branch: str) -> str:
    """Return the remote that work for ``branch`` is pushed to; RequestError where there is none."""
    remotes = user.git.text("remote").split()
    for key in (f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote"):
        named = user.git.run("config", "--get", key).out.decode(errors="replace").strip()
        if named and named != ".":
            return named
    if "origin" in remotes or len(remotes) == 1:
        return "origin" if "origin" in remotes else remotes[0]
    raise RequestError(
        "there is no remote to push to" if not remotes else f"which remote? {', '.join(remotes)}",
        "add one (`git remote add origin URL`)"
        if not remotes
        else f"name it: `git config branch.{branch}.pushRemote NAME`",
    )


def push(user: Repository, remote: str, commit: str, head: str) -> None:
    """Push ``commit`` as the branch ``head``; not forced. StoppedError where that fails."""
    words = ("push", "--quiet", remote, f"{commit}:refs/heads/{head}")
    done = run_as_user(user, ACTION, *words, whole=False)
    if done.code != 0:
        raise StoppedError(
            f"{head} could not be pushed to {remote}: {last_words(done)}",
            "correct what git names, then run the command again; no branch of yours was changed",
        )


def ask_forge(user: Repository, remote: str, request: Request) -> Requested:
    """Ask for a pull request by `gh` or `glab`; where that fails, its command is for the user."""
    env, path = dict(user.caller_env), absolute_path(user.caller_env)
    url = user.git.run("remote", "get-url", "--push", remote).out.decode(errors="replace")
    installed = [name for name in (GITHUB, GITLAB) if shutil.which(name, path=path)]
    program = program_for(url, installed)
    shown = command_of(program, request, f"$(cat {request.body})")
    if program not in installed:
        return Requested(remote, "", shown, f"`{program}` is not installed")
    body = request.body.read_text(encoding="utf-8")
    try:
        argv = command_of(program, request, body)
        done = capture(argv, user.root, {**env, "GH_PROMPT_DISABLED": "1"}, b"", TIMEOUT_SECS)
    except (OSError, TimeoutError) as error:
        return Requested(remote, "", shown, f"`{program}` failed: {error}")
    if done.code != 0:
        return Requested(remote, "", shown, f"`{program}` failed: {last_words(done)}")
    found = URL.findall(done.out.decode(errors="replace"))
    return Requested(remote, found[-1] if found else "", shown)


def program_for(url: str, installed: Sequence[str]) -> str:
    """Return which program speaks with the forge at ``url``."""
    if "gitlab" in url:
        return GITLAB
    return GITHUB if "github" in url or not installed else installed[0]


def command_of(program: str, request: Request, description: str) -> tuple[str, ...]:
    """Return the command that makes the request; ``description`` is the body for `glab`."""
    head, base, title, body = request
    if program == GITLAB:
        named = ("--source-branch", head, "--target-branch", base, "--title", title)
        return (GITLAB, "mr", "create", *named, "--description", description, "--yes")
    named = ("--base", base, "--head", head, "--title", title)
    return (GITHUB, "pr", "create", *named, "--body-file", os.fspath(body))
