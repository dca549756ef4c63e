"""Where agents and gates run, and what each of them asks for there: ``[launcher]``."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from director.model.codec.marks import Validate
from director.model.codec.mistakes import Mistake
from director.model.config_values import Count, CountOrNone, SandboxCommand

ON_THIS_MACHINE = ("local", "command")


class Resources(NamedTuple):
    """What one agent, gate or setup asks of a cluster. ``mem_mb`` 0: what the cluster gives.

    ``extra`` are words for whatever starts it there (``--account=…``), as they are.
    """

    partition: str = ""
    cpus: Count = 1
    mem_mb: CountOrNone = 0
    extra: tuple[str, ...] = ()


ANY = Resources()


def _root_problems(root: str) -> Iterator[str]:
    if root and not root.startswith(("/", "~/")):
        yield f'must be an absolute path, or begin with "~/", not {root!r}'


class LauncherPolicy(NamedTuple):
    """What stands in front of agents, gates and setup. ``kind`` names one of the launchers.

    ``root`` is a folder that all machines see, for worktrees ("": the usual one). ``command`` is
    that of the kind "command".
    """

    kind: str = "local"
    root: Annotated[str, Validate(_root_problems)] = ""
    command: SandboxCommand = ()
    agent: Resources = ANY
    gate: Resources = ANY
    setup: Resources = ANY

    def mistakes(self) -> Iterator[Mistake]:
        """Say which settings exclude each other, or need another one."""
        if self.command and self.kind != "command":
            yield Mistake(("command",), f'has no effect with kind = "{self.kind}"')
        if self.kind == "command" and not self.command:
            yield Mistake(("kind",), 'is "command", but there is no command')
        for name in ("agent", "gate", "setup") if self.kind in ON_THIS_MACHINE else ():
            if getattr(self, name) != ANY:
                yield Mistake((name,), f'has no effect with kind = "{self.kind}"')
