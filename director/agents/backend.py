"""A backend is all that director knows of one agent CLI: a package, and a line in the registry.

The rest of director asks a backend only what stands here, and reads calls in the neutral words of
``calls`` and ``transcript``. What only one CLI has (a server, a login, a sandbox of its own) stays
in its package.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from director.agents.calls import Assignment, Reply, Spending
from director.agents.reading import EventReader
from director.agents.recorder import CallRecorder
from director.agents.templates import Template
from director.model.codec.mistakes import Mistake
from director.model.config import Config
from director.model.roles import Agent
from director.processes.sandbox import Sandbox
from director.processes.supervisor import Processes
from director.records.events import Events

if TYPE_CHECKING:
    from director.agents.steps import StepReader
    from director.model.diagnosis import Row
    from director.model.offers import Offer


class WantedModel(NamedTuple):
    """A model that is to be called. ``tier`` is its full name in ``[tiers]``.

    ``place`` is where the configuration names it. ``defined``: the calls' own configuration defines
    it, so that any name is taken.
    """

    tier: str
    place: str
    defined: bool = False


def wanted_models(config: Config, profile: str = "") -> Iterator[WantedModel]:
    """Give the models that must be known for ``config``; ``profile`` is its name in a bench.

    Those of ``[providers.local]`` are director's own to define.
    """
    of_profile = f" of profile {profile}" if profile else ""
    heated = {role for role, one in config.sampling.items() if one.temperature is not None}
    for role, tier in config.tiers.items():
        if not (config.local and tier.startswith("local/")):
            yield WantedModel(tier, f"{role}{of_profile}", role in heated)


class Promises(NamedTuple):
    """Which of director's promises a CLI can keep. The gate and the sandbox hold in any case."""

    edits_by_path: bool  # its edit tools change allowlisted files only
    readers_have_no_shell: bool
    exit_codes: bool  # its events have the exit code of every command
    reported_cost: bool

    def missing(self) -> list[str]:
        """Return, in words, what it cannot promise."""
        words = (
            "that its edit tools keep to the allowlist",
            "that roles which only read have no shell",
            "to report the exit code of every command",
            "to report what a call costs",
        )
        return [word for kept, word in zip(self, words, strict=True) if not kept]


class OwnFiles(NamedTuple):
    """What a CLI itself writes into a worktree: no edits of the model's.

    ``folders`` end with "/": they count where they hold nothing that git tracks.
    """

    files: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()


NO_FILES = OwnFiles()


class LaneCost(NamedTuple):
    """What one call takes of the machine: bytes of memory, seconds of a core."""

    memory_bytes: int
    cpu_secs: float


class AgentContext(NamedTuple):
    """What a backend works with in one job.

    ``env`` are the variables of director's caller, ``root`` is the user's checkout.
    ``beside`` is a folder beside the agents' worktrees, ``notes`` one where no agent can write.
    ``memory`` is a file that outlives the job. ``wanted`` are the models that will be called.
    """

    processes: Processes
    env: Mapping[str, str]
    root: Path
    config: Config
    templates: Mapping[Agent, Template]
    sandbox: Sandbox
    recorder: CallRecorder
    events: Events
    beside: Path
    notes: Path
    memory: Path
    wanted: Sequence[WantedModel] = ()


class Asking(NamedTuple):
    """What a CLI is asked with while no job is open: which models it offers.

    ``root`` is the user's checkout, ``scratch`` a folder that is removed afterwards.
    """

    processes: Processes
    env: Mapping[str, str]
    root: Path
    config: Config
    scratch: Path


class AgentCli(Protocol):
    """One agent CLI, opened for one job. Callable from any thread.

    ``recorder`` knows the secrets of the CLI's own settings, too.
    """

    @property
    def recorder(self) -> CallRecorder:
        """What records the calls."""
        ...

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        """Make one call and follow it to its end. Never raises for what the agent does.

        ``events`` is the file for the raw events; the prompt and standard error go beside it.
        """
        ...

    def begin(self) -> None:
        """Find out in the background what the first call would have to wait for."""
        ...

    def prepare(self) -> None:
        """Begin in the background what a call, which comes soon, would have to wait for."""
        ...

    def check(self, worktree: Path) -> None:
        """Raise RequestError where a call in ``worktree`` cannot be made as configured."""
        ...

    def version(self) -> str:
        """Return which version makes the calls ("": it does not say)."""
        ...

    def models(self, worktree: Path) -> frozenset[str]:
        """Return the tiers that a call in ``worktree`` may name; none: it does not say."""
        ...

    def remarks(self, worktree: Path) -> "Iterable[Row]":
        """Give what the user may want to know of how calls in ``worktree`` are made."""
        ...


class Backend(NamedTuple):
    """One agent CLI, before it is opened. Making one imports and asks nothing.

    ``name`` is the first segment of its tiers and its section of the configuration, ``title`` what
    people call it. ``options`` is the class of that section (see ``model.codec``), in which
    every field has a default; ``reader`` and ``steps`` make the readers of one call's events;
    ``problems`` finds what is wrong in a configuration of right types.
    ``program`` returns the path of its program, and ``check`` sees whether calls could be started,
    before anything is paid for: both raise RequestError. ``agent_folders`` may hold
    a repository's own role files; ``state_folders`` are the names of the folders that the CLI
    writes below the user's XDG folders. ``user_settings`` are names below HOME, or paths, of what
    only the user's own sessions write, ``files_in_home`` those right there that calls write as
    well. ``secret_variables`` hold keys, whatever they are called.
    ``starter_files`` are installed by ``sync-agents``: path → text. ``offers`` asks it which models
    it has; ``lists_all``: no other can be called. ``tried`` is the version that director was tried
    with, ``login`` the command that gives it a provider's key; with the variables ``ask_env`` it
    may be asked things, and leaves nothing.
    """

    name: str
    title: str
    options: type
    promises: Promises
    lane_cost: LaneCost
    reader: Callable[[], EventReader]
    steps: Callable[[], "StepReader"]
    program: Callable[[Config, Mapping[str, str]], Path]
    open: Callable[[AgentContext], AbstractContextManager[AgentCli]]
    check: Callable[[Config, Mapping[str, str]], None]
    own_files: OwnFiles = NO_FILES
    problems: Callable[[Config], Iterable[Mistake]] = lambda _config: ()
    secret_variables: Callable[[Config], Iterable[str]] = lambda _config: ()
    user_settings: Callable[[Config, Mapping[str, str]], Iterable[str]] = lambda _config, _env: ()
    files_in_home: Callable[[Config], Iterable[str]] = lambda _config: ()
    agent_folders: tuple[str, ...] = ()
    state_folders: tuple[str, ...] = ()
    starter_files: Callable[[], Mapping[str, str]] = dict
    offers: Callable[["Asking"], "Sequence[Offer]"] = lambda _asking: ()
    lists_all: bool = False
    tried: str = ""
    login: str = ""
    ask_env: Mapping[str, str] = {}
