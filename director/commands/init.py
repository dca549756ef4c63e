"""``director init``: make the configuration, or set single keys of it."""

from __future__ import annotations

import argparse
import difflib
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from director.agents.registry import BACKENDS, DEFAULT, tier_of
from director.command_line.context import Context, add_common_flags, find_repository, home_of
from director.command_line.dialogs.choosing import Choosing
from director.command_line.dialogs.questions import can_ask
from director.command_line.output import add_color_flag, style_of_error, style_of_output
from director.command_line.result import Result
from director.command_line.screens.init_words import CONFIG, shown, summary
from director.commands.sync_agents import MANIFEST
from director.diagnosing.commands_found import look_at_files, read_checkout
from director.diagnosing.offered import offered
from director.model.config import Config
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.model.first_config import Choice, first_config
from director.model.offers import Offer, bindings
from director.model.reason import Reason
from director.model.roles import Role
from director.model.toml_edit import Path as Key
from director.model.toml_edit import parse_assignment, set_key
from director.processes.children import adopt_orphans
from director.records import files
from director.records.job_directory import Home
from director.reporting.terminal.style import Span
from director.repositories.first_commit import FirstCommit, begin_repository
from director.repositories.repository import Repository

OURS = f"init:{CONFIG}"  # in the manifest: what `init` wrote, not edited since
NEXT = ("director", "doctor")
TEXTS = ("tiers", "gates")  # sections that hold strings only
EXAMPLES = (
    ("director init", "choose models, and write the configuration"),
    ("director init --yes", "the same without questions, as recommended"),
    ("director init --git --yes", "make a git repository with a first commit before that"),
    ("director init --set limits.max_attempts=2", "change one key, keep all comments"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``init``."""
    parser.add_argument(
        "--yes", action="store_true", help="accept what is recommended; ask nothing"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="set one key, such as tiers.planner=PROVIDER/MODEL (may be repeated)",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help=f"replace an edited configuration; the old one is kept as {CONFIG}.old",
    )
    parser.add_argument(
        "--git",
        action="store_true",
        help="first make a git repository here, with a commit of what is there, if there is none",
    )
    add_color_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the configuration, say what is in it and why, and what comes next."""
    adopt_orphans()
    made = begin_repository(args.repo, context.env) if args.git else None
    repository = find_repository(args, context)
    home = home_of(repository, context)
    sets = [_text_where_due(*parse_assignment(one)) for one in args.set]
    present = files.read_text(home.config)
    kept = present is not None and not args.force and not _is_ours(home, present)
    initial = _Init(args, context, repository, home, sets)
    if present is not None and sets and (kept or _loads(present, home)):
        return context.finish(args, _also(made, initial.edit(present)))
    if kept:
        assert present is not None
        raise _refusal(home, present, initial)
    return context.finish(args, _also(made, initial.make(present)))


def _also(made: FirstCommit | None, result: Result) -> Result:
    """Return ``result`` with what was done to the repository before."""
    if made is None:
        return result
    said = f"First commit: {made.commit[:12]}.\n" if made.commit else ""
    return result._replace(text=f"{said}{result.text}", data={**result.data, **made._asdict()})


def _text_where_due(key: Key, value: object) -> tuple[Key, object]:
    """Return a key with its value, which is a string in sections that hold nothing else."""
    if key[0] in TEXTS and isinstance(value, bool | int | float):
        return key, str(value).lower() if isinstance(value, bool) else str(value)
    return key, value


def _loads(text: str, home: Home) -> bool:
    try:
        read_config(text, str(home.config), BACKENDS)
    except RequestError:
        return False
    return True


def _manifest(home: Home) -> dict[str, Any]:
    return files.read_json(home.path / MANIFEST) or {}


def _is_ours(home: Home, text: str) -> bool:
    """Whether director wrote this, and it was not edited since."""
    known = _manifest(home)
    return _digest(text) in (known.get(OURS), known.get(CONFIG))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refusal(home: Home, present: str, initial: _Init) -> RequestError:
    """Return why an edited configuration stays, with what would be different in a new one."""
    try:
        _, new = initial.proposal(ask=False)
        lines = difflib.unified_diff(
            present.splitlines(), new.splitlines(), "as it is", "as proposed", lineterm="", n=0
        )
        said = "\n".join(line for line in lines if not line.startswith("@@"))
        initial.tell(said)
    except RequestError:
        pass  # nothing to compare with: no model is offered
    return RequestError(
        f"{home.config} was edited, so it is not replaced",
        "set single keys with `director init --set KEY=VALUE`, or replace it all with --force",
    )


class _Init:
    """One call of ``init``."""

    def __init__(
        self,
        args: argparse.Namespace,
        context: Context,
        repository: Repository,
        home: Home,
        sets: Sequence[tuple[Key, object]],
    ) -> None:
        self._args = args
        self._context = context
        self._repository = repository
        self._home = home
        self._sets = sets
        self._asks = can_ask(context) and not (args.yes or args.json)
        self._person = Choosing(context, style_of_error(args, context))

    def tell(self, text: str) -> None:
        """Say on standard error what is no result."""
        if text and not self._args.json:
            self._person.tell(Span(text))

    def edit(self, present: str) -> Result:
        """Set single keys; everything else stays."""
        text = present
        for key, value in self._sets:
            text = set_key(text, key, value)
        read_config(text, str(self._home.config), BACKENDS)
        tiers = {str(value) for key, value in self._sets if key[0] == "tiers"}
        if tiers:
            self._refuse_unknown(tiers, self._ask_clis())
        self._write(text, ours=_is_ours(self._home, present))
        changed = [".".join(key) for key, _ in self._sets]
        what = f"{CONFIG}: {', '.join(changed)} set"
        return self._result([Span(f"{what}.")], what, {"changed": changed})

    def make(self, present: str | None) -> Result:
        """Write a whole configuration."""
        if not (self._asks or self._args.yes or self._covers_tiers()):
            raise RequestError(
                "there is no terminal on which to ask",
                "add --yes to take what is recommended, or name the models: "
                "`director init --yes --set tiers.planner=PROVIDER/MODEL`",
                Reason.USAGE,
            )
        said, text = self.proposal(ask=self._asks)
        if present is not None and not _is_ours(self._home, present):
            files.write_text(self._home.config.with_name("config.toml.old"), present)
        self._write(text, ours=True)
        return self._result(*said)

    def proposal(self, *, ask: bool) -> tuple[tuple[list[Span], str, dict[str, Any]], str]:
        """Return what is to be said of a new configuration, and its text; nothing is written."""
        named = {str(value) for key, value in self._sets if key[0] == "tiers"}
        offers = self._ask_clis()
        self._refuse_unknown(named, offers)
        everything = [one for found in offers.values() for one in found]
        tiers = self._tiers(everything, ask=ask)
        found = look_at_files(
            read_checkout(self._repository), self._repository.root, self._context.env
        )
        refused = ask and found.gates and not self._person.confirmed(found)
        gates = () if refused else found.gates
        choice = Choice(tiers, everything, gates, found.worktree, self._sets)
        example = (resources.files("director") / "config.example.toml").read_text("utf-8")
        text = first_config(example, choice)
        config = read_config(text, str(self._home.config), BACKENDS)
        return summary(config.tiers, choice, found), text

    def _covers_tiers(self) -> bool:
        return {key[1] for key, _ in self._sets if key[0] == "tiers"} >= {*Role}

    def _ask_clis(self) -> dict[str, tuple[Offer, ...]]:
        context = self._context

        def begins(what: str) -> None:
            self.tell(f"{what} …")

        return offered(self._repository.root, context.env, context.cancellation, begins)

    def _refuse_unknown(self, tiers: set[str], offers: Mapping[str, Sequence[Offer]]) -> None:
        """Raise RequestError for a model that its CLI does not list, where it lists all."""
        for tier in sorted(tiers):
            backend = tier_of(tier).backend
            known = [one.tier for one in offers.get(backend.title, ())]
            if not (backend.lists_all and known) or tier in known or tier.startswith("local/"):
                continue
            near = difflib.get_close_matches(tier, known, 1)
            guess = f"did you mean {near[0]}?" if near else f"it has: {', '.join(known[:8])}"
            what = f"{backend.title} does not offer {tier}"
            raise RequestError(what, guess, Reason.MODEL_UNKNOWN)

    def _tiers(self, offers: Sequence[Offer], *, ask: bool) -> dict[Role, str]:
        named = {Role(key[1]): str(value) for key, value in self._sets if _names_tier(key)}
        if named.keys() >= {*Role}:
            return named
        found = bindings(offers)
        if not found:
            DEFAULT.program(Config({}), self._context.env)  # says how to install it
            raise RequestError(
                "no agent CLI here offers a model",
                f"give one a provider's key (`{DEFAULT.login}`), or name all tiers with --set",
                Reason.MODEL_UNKNOWN,
            )
        chosen = self._person.binding(found, offers) if ask else found[0]
        return {**chosen.tiers(), **named}

    def _write(self, text: str, *, ours: bool) -> None:
        self._home.prepare()
        files.write_text(self._home.config, text)
        known = {key: value for key, value in _manifest(self._home).items() if key != CONFIG}
        known.pop(OURS, None)
        files.write_json(
            self._home.path / MANIFEST, {**known, **({OURS: _digest(text)} if ours else {})}
        )

    def _result(self, lines: Sequence[Span], what: str, data: dict[str, Any]) -> Result:
        style = style_of_output(self._args, self._context)
        return Result(
            shown([*lines, Span(f"Next: {' '.join(NEXT)}")], style),
            {"config": str(self._home.config), **data},
            what=what,
            next_step=f"`{' '.join(NEXT)}` checks whether all of it works",
            next_command=NEXT,
        )


def _names_tier(key: Key) -> bool:
    if len(key) == 2 and key[0] == "tiers" and key[1] not in {*Role}:
        near = difflib.get_close_matches(key[1], [*Role], 1)
        guess = f"did you mean tiers.{near[0]}?" if near else f"the tiers are {', '.join(Role)}"
        raise RequestError(f"there is no tier {key[1]}", guess, Reason.USAGE)
    return len(key) == 2 and key[0] == "tiers"
