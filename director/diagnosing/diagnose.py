"""The diagnosis: everything that a job would need, looked at in the order of what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from director.agents.registry import BACKENDS
from director.diagnosing import agents, gates, leftovers, machine
from director.diagnosing.checkouts import open_checkouts
from director.diagnosing.subject import Found, Settings, Subject
from director.model.config_reader import read_config
from director.model.diagnosis import Row, ok, problem, warning
from director.model.errors import DirectorError, InterruptedRunError, RequestError
from director.model.format import counted
from director.records import files
from director.records.job_directory import FOLDER, Home
from director.repositories.repository import Repository, open_repository

INIT = "`director init` makes one"


def diagnose(subject: Subject) -> Iterator[Row]:
    """Give a row for each thing that was looked at, as soon as it is known.

    Nothing in the user's repository is changed, and nothing is left behind. Raises
    InterruptedRunError after a ctrl-C.
    """
    yield machine.python()
    yield machine.git(subject.env)
    try:
        repository = open_repository(subject.folder, subject.env)
    except DirectorError as error:
        yield problem("repository", error.what, error.next_step)
        yield from machine.machine(subject.env, subject.folder, None)
        yield from agents.programs(subject.env, None)
        return
    home = Home(repository.root / FOLDER, subject.redactor)
    commit, row = _head(repository)
    yield row
    yield _identity(repository)
    settings, row = _configuration(home)
    yield row
    config = settings.config if settings else None
    yield from machine.machine(subject.env, repository.root, config)
    yield from agents.programs(subject.env, config)
    if settings:
        found = Found(subject, repository, home, settings)
        yield from _configured(found)
        if commit:
            yield from _in_worktrees(found, commit)


def _head(repository: Repository) -> tuple[str, Row]:
    try:
        commit = repository.head()
        repository.check_room()
    except RequestError as error:
        return "", problem("repository", error.what, error.next_step)
    return commit, ok("repository", f"{repository.root} at {commit[:12]}")


def _identity(repository: Repository) -> Row:
    who = repository.identity()
    said = f"{who['GIT_COMMITTER_NAME']} <{who['GIT_COMMITTER_EMAIL']}>"
    if repository.is_anonymous:
        fix = "`git config --global user.name …` and `user.email …`"
        return warning("identity", f"git does not know who you are: commits are by {said}", fix)
    return ok("identity", said)


def _configuration(home: Home) -> tuple[Settings | None, Row]:
    path, about = home.config, "configuration"
    try:
        text = files.read_text(path)
        if text is None:
            return None, problem(about, f"there is none at {path}", INIT)
        settings = Settings(read_config(text, str(path), BACKENDS), path, text)
    except RequestError as error:
        return None, problem(about, error.what, error.next_step)
    return settings, ok(about, str(path))


def _configured(found: Found) -> Iterator[Row]:
    yield agents.templates(found)
    yield from agents.prices(found.settings)
    yield machine.confinement(found)
    yield machine.launcher(found)
    yield from leftovers.leftovers(found)
    yield leftovers.disk_use(found)


def _in_worktrees(found: Found, commit: str) -> Iterator[Row]:
    """Give what only worktrees can show; where there can be none, why."""
    if left := found.repository.left_at_server(commit):
        said = f"a partial clone that lacks {counted(left, 'object')} of HEAD: no worktree is tried"
        yield warning("worktree", said, "`director plan` fetches them, as `git checkout` does")
        return
    found.subject.begins("preparing a worktree of HEAD")
    try:
        with open_checkouts(found, commit) as checkouts:
            yield from agents.models(found, checkouts)
            yield from gates.worktree_rows(found, checkouts)
            if found.subject.live:
                yield from agents.live_calls(found, checkouts)
    except InterruptedRunError:
        raise
    except DirectorError as error:
        yield problem("worktree", error.what, error.next_step)
