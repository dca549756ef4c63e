"""The configuration: what each section means. Reading and its errors: ``config_reader``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from director.model.commit_policy import CommitPolicy
from director.model.launcher_policy import LauncherPolicy
from director.model.pricing import Price
from director.model.roles import Role
from director.model.secrets import literal_secrets, looks_secret, referenced_variables


@dataclass(frozen=True)
class Limits:
    """Bounds of a run. Times in seconds, money in US dollars (a ceiling of 0: none)."""

    node_timeout_secs: int = 900
    cost_ceiling_usd: float = 0.0
    max_attempts: int = 3
    flake_runs: int = 2
    stall_timeout_secs: int = 600
    provider_retries: int = 2


@dataclass(frozen=True)
class ReviewPolicy:
    """When a model reads a diff that is already green, and whether its objection blocks the merge.

    ``veto``: what the reviewer calls critical does not merge, and spends an attempt.
    """

    stage_two: bool = True
    stage_two_file_threshold: int = 3
    stage_one_llm: bool = False
    veto: bool = True


@dataclass(frozen=True)
class Sampling:
    """Sampling of one role. None: whatever the provider does by default.

    ``options`` go into the request body as they are, for whatever a provider adds.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LocalProvider:
    """An OpenAI-compatible endpoint, reached as ``local/<model>`` in ``[tiers]``.

    ``context`` and ``output`` are the models' limits in tokens.
    """

    base_url: str
    api_key: str = field(default="none", repr=False)
    context: int = 131_072
    output: int = 16_384


@dataclass(frozen=True)
class GateEnvironment:
    """Which of the caller's variables gates see: globs, in which case matters.

    What looks like a key is withheld unless ``passed`` names it; ``dropped`` is withheld always.
    """

    passed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def of(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of ``env`` that gates see."""
        return {name: value for name, value in env.items() if self.shows(name)}

    def withheld(self, env: Mapping[str, str]) -> list[str]:
        """Return the names of the variables of ``env`` that gates do not see, sorted."""
        return sorted(name for name in env if not self.shows(name))

    def shows(self, name: str) -> bool:
        """Whether gates see the variable ``name``."""
        if any(fnmatchcase(name, glob) for glob in self.dropped):
            return False
        return not looks_secret(name) or any(fnmatchcase(name, glob) for glob in self.passed)


@dataclass(frozen=True)
class OpenCodeOptions:
    """How OpenCode is run. ``server``: ``auto``, ``off``, or the URL of one that runs already."""

    server: str = "auto"

    @property
    def server_url(self) -> str | None:
        """The server that somebody else runs, if that is what is wanted."""
        return None if self.server in ("auto", "off") else self.server


@dataclass(frozen=True)
class SandboxPolicy:
    """What agents and gates may not touch. ``mode`` is one of SANDBOX_MODES.

    ``command`` stands in front of every agent and gate (empty: none) and takes the place of the
    mode. ``write`` are folders (absolute, or below ``~``) that may be written as well, ``hide``
    files and folders that may not even be read, ``read`` those of the user's checkout that gates
    may read.
    """

    mode: str = "auto"
    command: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    @property
    def effective_mode(self) -> str:
        """What ``auto`` means where there is a mechanism."""
        return "protect" if self.mode == "auto" else self.mode

    @property
    def demanded(self) -> bool:
        """Whether agents must not run without it."""
        return bool(self.command) or self.mode in ("protect", "strict")


SANDBOX_MODES = ("auto", "protect", "strict", "off")


@dataclass(frozen=True)
class WorktreePolicy:
    """What worktrees hold besides their commit; paths are relative to the repository's root.

    ``setup`` is a shell command ("": none), run again where what ``setup_inputs`` (paths or globs;
    None: all lock files and manifests) hold has changed. ``copy`` and ``link`` are taken from the
    user's working tree; ``keep`` are build folders that survive.
    """

    setup: str = ""
    setup_inputs: tuple[str, ...] | None = None
    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """Everything ``config.toml`` says. ``gates`` keeps the order of the file."""

    tiers: Mapping[Role, str]
    gates: Mapping[str, str] = field(default_factory=dict)
    pricing: Mapping[str, Price] = field(default_factory=dict)
    limits: Limits = Limits()
    sampling: Mapping[Role, Sampling] = field(default_factory=dict)
    review: ReviewPolicy = ReviewPolicy()
    local: LocalProvider | None = None
    env: GateEnvironment = GateEnvironment()
    sandbox: SandboxPolicy = SandboxPolicy()
    launcher: LauncherPolicy = field(default_factory=LauncherPolicy)
    opencode: OpenCodeOptions = OpenCodeOptions()
    worktree: WorktreePolicy = WorktreePolicy()
    git: CommitPolicy = field(default_factory=CommitPolicy)

    @property
    def secrets(self) -> dict[str, str]:
        """Return place → value of the keys that stand here as they are."""
        key = self.local.api_key if self.local else ""
        return literal_secrets({"providers": {"local": {"api_key": key}}})

    @property
    def secret_variables(self) -> list[str]:
        """Return the variables that keys here refer to."""
        return referenced_variables(self.local.api_key) if self.local else []
