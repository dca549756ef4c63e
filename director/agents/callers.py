"""The callers of one job: each call goes to the agent CLI that its tier names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from director.agents.backend import AgentCli, AgentContext, Backend
from director.agents.calls import Assignment, Reply, Spending
from director.agents.recorder import CallRecorder
from director.agents.registry import backends_of, tier_of
from director.model.config import Config
from director.model.roles import Role

if TYPE_CHECKING:
    from director.model.diagnosis import Row


class Callers:
    """Makes calls by whichever CLI a tier names (a ``client.Caller``)."""

    def __init__(
        self, clis: Mapping[str, AgentCli], config: Config, recorder: CallRecorder
    ) -> None:
        self._clis = clis
        self._config = config
        self._recorder = recorder

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call with the CLI of its tier, its raw events into the file ``events``."""
        backend = tier_of(self._config.tiers[assignment.role]).backend
        return self._clis[backend.name].call(assignment, spending, events)

    def new_log(self, name: str) -> Path:
        """Return a fresh path for the events of a call."""
        return self._recorder.new_log(name)

    def recall(self, events: Path, tier: str) -> Reply:
        """Return what an earlier call left in its events file, read as its CLI's words."""
        backend = tier_of(tier).backend
        cli = self._clis.get(backend.name)
        recorder = cli.recorder if cli else self._recorder
        return recorder.recall(events, backend.reader())

    def begin(self) -> None:
        """Start in the background what the first calls would have to wait for."""
        for cli in self._clis.values():
            cli.begin()

    def prepare(self, role: Role) -> None:
        """Begin in the background what a call to ``role`` would have to wait for."""
        backend = tier_of(self._config.tiers[role]).backend
        self._clis[backend.name].prepare()

    def check(self, worktree: Path) -> None:
        """Raise RequestError where a call in ``worktree`` cannot be made as configured."""
        for cli in self._clis.values():
            cli.check(worktree)

    def models(self, worktree: Path) -> dict[str, frozenset[str]]:
        """Return CLI → the tiers that a call in ``worktree`` may name; none: it does not say."""
        return {name: cli.models(worktree) for name, cli in self._clis.items()}

    def remarks(self, worktree: Path) -> Iterator[Row]:
        """Give what the user may want to know of how calls in ``worktree`` are made."""
        for cli in self._clis.values():
            yield from cli.remarks(worktree)

    def versions(self) -> dict[str, str]:
        """Return CLI → version; those that do not say it are left out."""
        found = {name: cli.version() for name, cli in self._clis.items()}
        return {name: version for name, version in found.items() if version}


@contextmanager
def open_callers(context: AgentContext) -> Iterator[Callers]:
    """Open every CLI that the tiers name; afterwards nothing of them is left running."""
    config = context.config
    with ExitStack() as stack:
        named = backends_of(config.tiers.values())
        clis = {one.name: stack.enter_context(one.open(_part(context, one))) for one in named}
        yield Callers(clis, config, context.recorder)


def _part(context: AgentContext, backend: Backend) -> AgentContext:
    """Return the context with the models of one backend."""
    own = tuple(one for one in context.wanted if tier_of(one.tier).backend is backend)
    return context._replace(wanted=own)
