"""The configuration: what each section holds, and what it means. Reading: ``config_reader``."""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, NamedTuple, TypeVar

from director.model.codec.decoding import TOML, decode
from director.model.codec.marks import Convert, DecodeWith, Key, Mark
from director.model.codec.mistakes import Mistake
from director.model.commit_policy import CommitPolicy
from director.model.config_values import (
    Ceiling,
    Count,
    CountOrNone,
    GateCommands,
    Model,
    Number,
    Paths,
    Places,
    SandboxCommand,
    SandboxMode,
    Settings,
    ShellCommand,
    UserCommand,
    Whole,
)
from director.model.launcher_policy import LauncherPolicy
from director.model.merge_policy import MergePolicy
from director.model.pricing import Price
from director.model.roles import Role
from director.model.secrets import literal_secrets, looks_secret, referenced_variables

Options = TypeVar("Options")
"""The options of an agent CLI: a class whose fields all have defaults."""
NO_SETTINGS: Settings = {}
NO_COMMANDS: GateCommands = {}


class Limits(NamedTuple):
    """Bounds of a run. Times in seconds, money in US dollars (a ceiling of 0: none)."""

    node_timeout_secs: Count = 900
    cost_ceiling_usd: Ceiling = 0.0
    max_attempts: Count = 3
    flake_runs: Count = 2
    stall_timeout_secs: Count = 600
    provider_retries: CountOrNone = 2
    repair_attempts: CountOrNone = 1


class ReviewPolicy(NamedTuple):
    """When a model reads a diff that is already green, and whether its objection blocks the merge.

    ``veto``: what the reviewer calls critical does not merge, and spends an attempt.
    """

    stage_two: bool = True
    stage_two_file_threshold: int = 3
    stage_one_llm: bool = False
    veto: bool = True


class Sampling(NamedTuple):
    """Sampling of one role. None: whatever the provider does by default.

    ``options`` go into the request body as they are, for whatever a provider adds.
    """

    temperature: Number | None = None
    top_p: Number | None = None
    top_k: Whole | None = None
    min_p: Number | None = None
    seed: Whole | None = None
    reasoning_effort: str | None = None
    options: Settings = NO_SETTINGS


class LocalProvider(NamedTuple):
    """An OpenAI-compatible endpoint, reached as ``local/<model>`` in ``[tiers]``.

    ``context`` and ``output`` are the models' limits in tokens.
    """

    base_url: str
    api_key: str = "none"
    context: int = 131_072
    output: int = 16_384

    def __repr__(self) -> str:
        """Return it without the key."""
        return f"LocalProvider(base_url={self.base_url!r})"


class GateEnvironment(NamedTuple):
    """Which of the caller's variables gates see: globs, in which case matters.

    What looks like a key is withheld unless ``passed`` names it; ``dropped`` is withheld always.
    ``keys`` are variables that hold one, whatever they are called.
    """

    passed: Annotated[tuple[str, ...], Key("pass")] = ()
    dropped: Annotated[tuple[str, ...], Key("drop")] = ()

    def of(self, env: Mapping[str, str], keys: Collection[str] = ()) -> dict[str, str]:
        """Return the variables of ``env`` that gates see."""
        return {name: value for name, value in env.items() if self.shows(name, keys)}

    def withheld(self, env: Mapping[str, str], keys: Collection[str] = ()) -> list[str]:
        """Return the names of the variables of ``env`` that gates do not see, sorted."""
        return sorted(name for name in env if not self.shows(name, keys))

    def shows(self, name: str, keys: Collection[str] = ()) -> bool:
        """Whether gates see the variable ``name``."""
        if any(fnmatchcase(name, glob) for glob in self.dropped):
            return False
        is_key = name in keys or looks_secret(name)
        return not is_key or any(fnmatchcase(name, glob) for glob in self.passed)


class SandboxPolicy(NamedTuple):
    """What agents and gates may not touch. ``mode`` is one of SANDBOX_MODES.

    ``command`` stands in front of every agent and gate (empty: none) and takes the place of the
    mode. ``write`` are folders (absolute, or below ``~``) that may be written as well, ``hide``
    files and folders that may not even be read, ``read`` those of the user's checkout that gates
    may read.
    """

    mode: SandboxMode = "auto"
    command: SandboxCommand = ()
    write: Places = ()
    hide: Places = ()
    read: Places = ()

    def mistakes(self) -> Iterator[Mistake]:
        """Say which settings exclude each other."""
        if self.command and self.mode in ("protect", "strict"):
            problem = "and a command cannot be combined: leave one of them out"
            yield Mistake(("mode",), problem)
        if self.hide and (self.command or self.mode == "off"):
            other = "a command" if self.command else 'mode = "off"'
            yield Mistake(("hide",), f"has no effect with {other}: leave one of them out")

    @property
    def effective_mode(self) -> str:
        """What ``auto`` means where there is a mechanism."""
        return "protect" if self.mode == "auto" else self.mode

    @property
    def demanded(self) -> bool:
        """Whether agents must not run without it."""
        return bool(self.command) or self.mode in ("protect", "strict")


class WorktreePolicy(NamedTuple):
    """What worktrees hold besides their commit; paths are relative to the repository's root.

    ``setup`` is a shell command ("": none), run again where what ``setup_inputs`` (paths or globs;
    None: all lock files and manifests) hold has changed. ``copy`` and ``link`` are taken from the
    user's working tree; ``keep`` are build folders that survive.
    """

    setup: Annotated[ShellCommand, Convert(str.strip)] = ""
    setup_inputs: Paths | None = None
    copy: Paths = ()
    link: Paths = ()
    keep: Paths = ()

    def mistakes(self) -> Iterator[Mistake]:
        """Say which settings exclude each other, or need another one."""
        if self.setup_inputs and not self.setup:
            yield Mistake(("setup_inputs",), "decides when to run a setup, and there is none")
        placed = (*self.copy, *self.link, *self.keep)
        for place, path in enumerate(placed):
            others = (*placed[:place], *placed[place + 1 :])
            if any(f"{path}/".startswith(f"{other}/") for other in others):
                yield Mistake((), f"names {path!r} twice, or a folder that holds it")


class NotifyPolicy(NamedTuple):
    """Who is told of pauses and ends: ``command`` gets each on its input (none: there is none)."""

    command: UserCommand = ()


class _Providers(NamedTuple):
    local: LocalProvider | None = None


def _local_provider(providers: object) -> LocalProvider | None:
    return decode(_Providers, providers, TOML).local


class Config(NamedTuple):
    """Everything ``config.toml`` says: a section for each field.

    ``gates`` keeps the order of the file. ``local`` is ``[providers.local]``. ``agents`` has
    the sections of agent CLIs: name → options.
    """

    tiers: Annotated[Mapping[Role, Model], Mark.COMPLETE]
    gates: GateCommands = NO_COMMANDS
    pricing: Mapping[str, Price] = {}
    limits: Limits = Limits()
    sampling: Mapping[Role, Sampling] = {}
    review: ReviewPolicy = ReviewPolicy()
    local: Annotated[LocalProvider | None, Key("providers"), DecodeWith(_local_provider)] = None
    env: GateEnvironment = GateEnvironment()
    sandbox: SandboxPolicy = SandboxPolicy()
    launcher: LauncherPolicy = LauncherPolicy()
    agents: Mapping[str, Any] = {}
    worktree: WorktreePolicy = WorktreePolicy()
    git: CommitPolicy = CommitPolicy()
    notify: NotifyPolicy = NotifyPolicy()
    merge: MergePolicy = MergePolicy()

    def mistakes(self) -> Iterator[Mistake]:
        """Say which sections exclude each other."""
        launcher, sandbox = self.launcher, self.sandbox
        if sandbox.command and launcher != LauncherPolicy():
            problem = "and [launcher] cannot be combined: leave one of them out"
            yield Mistake(("sandbox", "command"), problem)
        if launcher.command and (sandbox.hide or sandbox.mode in ("protect", "strict")):
            problem = "takes the place of [sandbox]: leave its mode and hide out"
            yield Mistake(("launcher", "command"), problem)

    def with_one_command(self) -> "Config":
        """Return the same where a command of the user's stands in both sections, if in any."""
        if self.sandbox.command:
            launcher = LauncherPolicy("command", command=self.sandbox.command)
            return self._replace(launcher=launcher)
        return self._replace(sandbox=self.sandbox._replace(command=self.launcher.command))

    def options_of(self, name: str, kind: type[Options]) -> Options:
        """Return the section ``name`` of an agent CLI; its defaults where there is none."""
        found = self.agents.get(name)
        return found if isinstance(found, kind) else kind()

    @property
    def secrets(self) -> dict[str, str]:
        """Return place → value of the keys that stand here as they are."""
        key = self.local.api_key if self.local else ""
        return literal_secrets({"providers": {"local": {"api_key": key}}})

    @property
    def secret_variables(self) -> list[str]:
        """Return the variables that keys here refer to."""
        return referenced_variables(self.local.api_key) if self.local else []
