"""Reading a configuration: all mistakes are found at once, each with its place and a guess."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from director.model.commit_policy import CommitPolicy, template_problems
from director.model.config import (
    SANDBOX_MODES,
    Config,
    GateEnvironment,
    Limits,
    LocalProvider,
    OpenCodeOptions,
    ReviewPolicy,
    Sampling,
    SandboxPolicy,
    WorktreePolicy,
)
from director.model.errors import RequestError
from director.model.launcher_policy import LauncherPolicy, Resources
from director.model.pricing import Price
from director.model.roles import Role

SECTIONS = (
    "tiers", "gates", "pricing", "limits", "sampling", "review", "providers", "env", "sandbox",
    "opencode", "worktree", "git", "launcher",
)  # fmt: skip
LOCAL_PREFIX = "local/"
PLACEHOLDER = "PROVIDER/"
HIGHEST_PRICE = 1_000_000  # US dollars per million tokens
HIGHEST_LIMIT = 1_000_000_000
TOO_LARGE = 2**64  # for those who read a request
SANDBOX_PLACES = ("worktree", "scratch", "git", "repo", "home")
Section = TypeVar(
    "Section",
    CommitPolicy,
    Limits,
    LocalProvider,
    OpenCodeOptions,
    Price,
    Resources,
    ReviewPolicy,
    Sampling,
)


def read_config(text: str, name: str) -> Config:
    """Return the configuration in ``text`` (TOML); ``name`` is the file's name for messages.

    Raises RequestError that names every unknown key, wrong type and missing role.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{name} is not valid TOML: {error}", "correct that line") from None
    reader = _Reader(text)
    config = reader.config(document)
    if reader.problems or config is None:
        raise RequestError(
            f"{name}: " + "; ".join(reader.problems),
            f"correct {name} (`director sync-agents` writes a commented one where there is none)",
        )
    return config


class _Reader:
    """One reading: collects problems instead of stopping at the first."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.problems: list[str] = []

    def config(self, document: Mapping[str, Any]) -> Config | None:
        for key in document:
            if key not in SECTIONS:
                self._unknown((key,), SECTIONS)
        tables = {key: self._table(document, (key,)) for key in SECTIONS}
        providers = tables["providers"]
        for key in providers:
            if key != "local":
                self._unknown(("providers", key), ("local",))
        pricing = {model: self._price(tables["pricing"], model) for model in tables["pricing"]}
        local = None
        if "local" in providers:
            path = ("providers", "local")
            local = self._section(LocalProvider, self._table(providers, path), path)
        tiers = self._tiers(tables["tiers"], local_given="local" in providers)
        limits = self._section(Limits, tables["limits"], ("limits",))
        if limits:
            self._check_limits(limits)
        sandbox = self._sandbox(tables["sandbox"])
        launcher = self._launcher(tables["launcher"], sandbox)
        if launcher.command:
            sandbox = replace(sandbox, command=launcher.command)
        config = Config(
            tiers=tiers,
            gates=self._gates(tables["gates"]),
            pricing={model: price for model, price in pricing.items() if price},
            limits=limits or Limits(),
            sampling=self._sampling(tables["sampling"]),
            review=self._section(ReviewPolicy, tables["review"], ("review",)) or ReviewPolicy(),
            local=local,
            env=self._environment(tables["env"]),
            sandbox=sandbox,
            launcher=launcher,
            opencode=self._opencode(tables["opencode"], sandbox, launcher),
            worktree=self._worktree(tables["worktree"]),
            git=self._commits(tables["git"]),
        )
        return None if self.problems else config

    def _tiers(self, table: Mapping[str, Any], *, local_given: bool) -> dict[Role, str]:
        tiers = {}
        for role in Role:
            path = ("tiers", role.value)
            model = table.get(role.value)
            if role.value not in table:
                self.problems.append(f"tiers.{role} is missing")
            elif not isinstance(model, str):
                self._wrong(path, 'a string "provider/model"')
            elif not re.fullmatch(r"[^/\s]+/\S+", model):
                self._wrong(path, f'"provider/model", not {model!r}')
            elif model.startswith(PLACEHOLDER):
                self._say(
                    path, f"still names the example's {model!r}: put one of your models there"
                )
            elif model.startswith(LOCAL_PREFIX) and not local_given:
                self._say(path, "names a local model, but there is no [providers.local]")
            else:
                tiers[role] = model
        for key in table:
            if key not in list(Role):
                self._unknown(("tiers", key), [role.value for role in Role])
        return tiers

    def _gates(self, table: Mapping[str, Any]) -> dict[str, str]:
        gates = {}
        for name, command in table.items():
            if not isinstance(command, str):
                self._wrong(("gates", name), "a shell command (a string)")
            elif command.strip():
                gates[name] = command
        return gates

    def _sampling(self, table: Mapping[str, Any]) -> dict[Role, Sampling]:
        sampling = {}
        for key in table:
            path = ("sampling", key)
            if key not in list(Role):
                self._unknown(path, [role.value for role in Role])
                continue
            values = self._table(table, path)
            for name in (name for name in values if not _can_be_sent(values[name])):
                self._wrong((*path, name), "finite numbers below 2**64, and no dates")
            if section := self._section(Sampling, values, path):
                sampling[Role(key)] = section
        return sampling

    def _environment(self, table: Mapping[str, Any]) -> GateEnvironment:
        self._only(table, "env", ("pass", "drop"))
        globs = {key: self._strings(table.get(key, []), ("env", key)) for key in ("pass", "drop")}
        return GateEnvironment(globs["pass"], globs["drop"])

    def _sandbox(self, table: Mapping[str, Any]) -> SandboxPolicy:
        self._only(table, "sandbox", ("mode", "command", "write", "hide", "read"))
        mode = table.get("mode", "auto")
        if mode not in SANDBOX_MODES:
            self._wrong(("sandbox", "mode"), f"one of {', '.join(SANDBOX_MODES)}, not {mode!r}")
        command = self._command(table.get("command", []), ("sandbox", "command"))
        if command and mode in ("protect", "strict"):
            self._say(
                ("sandbox", "mode"), "and a command exclude each other: leave one of them out"
            )
        write, hide, read = (
            self._places(table.get(key, []), ("sandbox", key)) for key in ("write", "hide", "read")
        )
        if hide and (command or mode == "off"):
            other = "a command" if command else 'mode = "off"'
            self._say(("sandbox", "hide"), f"has no effect with {other}: leave one of them out")
        return SandboxPolicy(str(mode), command, write, hide, read)

    def _launcher(self, table: Mapping[str, Any], sandbox: SandboxPolicy) -> LauncherPolicy:
        parts = ("agent", "gate", "setup")
        self._only(table, "launcher", ("kind", "root", "command", *parts))
        kind = table.get("kind", "command" if sandbox.command else "local")
        if not isinstance(kind, str):
            self._wrong(("launcher", "kind"), "a string")
        root = table.get("root", "")
        self._places([root] if root != "" else [], ("launcher", "root"))
        path = ("launcher", "command")
        command = self._command(table.get("command", []), path)
        if command and sandbox.command:
            self._say(path, "and the one of [sandbox] exclude each other: leave one of them out")
        if command and sandbox.mode in ("protect", "strict"):
            self._say(path, f'excludes [sandbox] mode = "{sandbox.mode}": leave one of them out')
        command = command or sandbox.command
        if command and kind != "command":
            self._say(path, f'has no effect with kind = "{kind}": leave one of them out')
        if kind == "command" and not command:
            self._say(("launcher", "kind"), 'is "command", but there is no command')
        asked = {part: self._resources(table, part) for part in parts if part in table}
        if asked and kind in ("local", "command"):
            which = next(iter(asked))
            self._say(("launcher", which), f'has no effect with kind = "{kind}"')
        return LauncherPolicy(str(kind), str(root), command, **asked)

    def _resources(self, table: Mapping[str, Any], part: str) -> Resources:
        """Return what a part asks of the cluster."""
        path = ("launcher", part)
        values = {**self._table(table, path)}
        extra = self._strings(values.pop("extra", []), (*path, "extra"))
        asked = self._section(Resources, values, path) or Resources()
        for name, least in (("cpus", 1), ("mem_mb", 0)):
            if not least <= getattr(asked, name) <= HIGHEST_LIMIT:
                self._wrong((*path, name), f"{least} to {HIGHEST_LIMIT:,}")
        return replace(asked, extra=extra)

    def _command(self, given: object, path: tuple[str, ...]) -> tuple[str, ...]:
        if isinstance(given, str):
            try:
                given = shlex.split(given)
            except ValueError as error:
                self._say(path, f"cannot be split into words: {error}")
                return ()
        words = self._strings(given, path, "a list of strings, or one string")
        for place in re.findall(r"\{(\w*)\}", " ".join(words)):
            if place not in SANDBOX_PLACES:
                self._unknown((*path, place), SANDBOX_PLACES, "a place director fills in")
        return words

    def _places(self, value: object, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return paths on this machine: absolute, or below the home folder."""
        given = self._strings(value, path)
        for one in given:
            if not one.startswith(("/", "~/")) and one != "~":
                self._wrong(path, f'absolute paths, or paths that begin with "~/", not {one!r}')
        return given

    def _opencode(
        self, table: Mapping[str, Any], sandbox: SandboxPolicy, launcher: LauncherPolicy
    ) -> OpenCodeOptions:
        options = self._section(OpenCodeOptions, table, ("opencode",))
        if options is None:
            return OpenCodeOptions()
        if url := options.server_url:
            path = ("opencode", "server")
            if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
                self._wrong(path, f'"auto", "off" or the URL of a server, not {url!r}')
            elif sandbox.demanded:
                self._say(
                    path, "names a server, which [sandbox] cannot hold: leave one of them out"
                )
            elif launcher.kind != "local":
                self._say(
                    path, "names a server, which [launcher] cannot start: leave one of them out"
                )
        return options

    def _commits(self, table: Mapping[str, Any]) -> CommitPolicy:
        policy = self._section(CommitPolicy, table, ("git",)) or CommitPolicy()
        for problem in template_problems(policy.message):
            self._say(("git", "message"), problem)
        return policy

    def _worktree(self, table: Mapping[str, Any]) -> WorktreePolicy:
        lists = ("setup_inputs", "copy", "link", "keep")
        self._only(table, "worktree", ("setup", *lists))
        setup = table.get("setup", "")
        if not isinstance(setup, str):
            self._wrong(("worktree", "setup"), "a shell command (a string)")
            setup = ""
        paths = {key: self._paths(table.get(key, []), ("worktree", key)) for key in lists}
        if paths["setup_inputs"] and not setup.strip():
            self._say(("worktree", "setup_inputs"), "decides when to run a setup that is not there")
        placed = [path for key in lists[1:] for path in paths[key]]
        for place, path in enumerate(placed):
            others = (*placed[:place], *placed[place + 1 :])
            if any(f"{path}/".startswith(f"{other}/") for other in others):
                self._say(("worktree",), f"names {path!r} twice, or a folder that holds it")
        inputs = paths.pop("setup_inputs")
        return WorktreePolicy(setup.strip(), inputs if "setup_inputs" in table else None, **paths)

    def _paths(self, value: object, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return the paths without a last "/"; each must stay inside the repository."""
        given = self._strings(value, path)
        plain = [one.rstrip("/") for one in given]
        for one in plain:
            parts = one.split("/")
            if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
                self._wrong(path, f"paths inside the repository, relative to its root, not {one!r}")
            elif ".git" in parts or parts[0] == ".director":
                self._wrong(path, f"paths outside .git and .director, not {one!r}")
        return tuple(plain)

    def _only(self, table: Mapping[str, Any], section: str, known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._unknown((section, key), known)

    def _strings(
        self, value: object, path: tuple[str, ...], expected: str = "a list of strings"
    ) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._wrong(path, expected)
            return ()
        return tuple(value)

    def _section(
        self, kind: type[Section], table: Mapping[str, Any], path: tuple[str, ...]
    ) -> Section | None:
        """Return ``kind`` built from ``table``, or None when something in it is wrong."""
        before = len(self.problems)
        hints = get_type_hints(kind)
        names = [item.name for item in fields(kind)]
        values = {}
        for key, value in table.items():
            if key not in names:
                self._unknown((*path, key), names)
            elif not _fits(value, hints[key]):
                self._wrong((*path, key), _expected(hints[key]))
            else:
                values[key] = value
        for item in fields(kind):
            if item.default is item.default_factory and item.name not in table:  # both MISSING
                self._say(path, f"{item.name} is missing")
        return kind(**values) if len(self.problems) == before else None

    def _price(self, table: Mapping[str, Any], model: str) -> Price | None:
        path = ("pricing", model)
        price = self._section(Price, self._table(table, path), path)
        for item in fields(Price) if price else ():
            value = getattr(price, item.name)
            if value is not None and not 0 <= value <= HIGHEST_PRICE:  # also true of a NaN
                self._wrong((*path, item.name), f"0 to {HIGHEST_PRICE:,} (US dollars)")
        return price

    def _check_limits(self, limits: Limits) -> None:
        for name, least, means in (
            ("node_timeout_secs", 1, ""),
            ("stall_timeout_secs", 1, ""),
            ("max_attempts", 1, ""),
            ("flake_runs", 1, ""),
            ("cost_ceiling_usd", 0, " (0: no ceiling)"),
            ("provider_retries", 0, ""),
        ):
            if not least <= getattr(limits, name) <= HIGHEST_LIMIT:  # also true of a NaN
                self._wrong(("limits", name), f"{least} to {HIGHEST_LIMIT:,}{means}")

    def _table(self, parent: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
        value = parent.get(path[-1], {})
        if isinstance(value, dict):
            return value
        self._wrong(path, "a table")
        return {}

    def _wrong(self, path: tuple[str, ...], expected: str) -> None:
        self._say(path, f"must be {expected}")

    def _unknown(
        self, path: tuple[str, ...], known: Iterable[str], what: str = "a known key"
    ) -> None:
        guess = get_close_matches(path[-1], list(known), n=1)
        hint = f"did you mean {guess[0]!r}?" if guess else f"known: {', '.join(known)}"
        self._say(path, f"is not {what} ({hint})")

    def _say(self, path: tuple[str, ...], problem: str) -> None:
        key = ".".join(part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in path)
        line = self._line_of(path)
        self.problems.append(f"{key} {f'(line {line}) ' if line else ''}{problem}")

    def _line_of(self, path: tuple[str, ...]) -> int | None:
        """Return the line where the key stands, as far as the text shows it (1 is the first)."""
        inside = len(path) == 1
        section = re.compile(r"\s*\[+\s*" + r"\s*\.\s*".join(map(_quoted, path[:-1])) + r"\s*\]")
        whole = re.compile(r"\s*\[+\s*" + r"\s*\.\s*".join(map(_quoted, path)) + r"\s*[\].]")
        key = re.compile(rf"\s*{_quoted(path[-1])}\s*[=.]")
        for number, line in enumerate(self.lines, 1):
            if whole.match(line) or (inside and key.match(line)):
                return number
            if line.lstrip().startswith("["):
                inside = bool(len(path) > 1 and section.match(line))
        return None


def _quoted(part: str) -> str:
    return rf"[\"']?{re.escape(part)}[\"']?"


def _kinds(hint: object) -> set[object]:
    """Return the plain types of an annotation such as ``float | None``."""
    members = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return {get_origin(member) or member for member in members}


def _fits(value: object, hint: object) -> bool:
    kinds = _kinds(hint)
    if isinstance(value, int) and not isinstance(value, bool):
        return bool(kinds & {int, float})
    if isinstance(value, dict):
        return Mapping in kinds
    return type(value) in kinds


def _can_be_sent(value: object) -> bool:
    """Whether JSON can hold a value, and common readers the numbers in it."""
    match value:
        case dict():
            return all(map(_can_be_sent, value.values()))
        case list():
            return all(map(_can_be_sent, value))
        case int() | float():
            return abs(value) < TOO_LARGE  # never true of a NaN
        case _:
            return isinstance(value, str)


def _expected(hint: object) -> str:
    kinds = _kinds(hint)
    for kind, meaning in (
        (Mapping, "a table"),
        (bool, "true or false"),
        (float, "a number"),
        (int, "a whole number"),
    ):
        if kind in kinds:
            return meaning
    return "a string"
