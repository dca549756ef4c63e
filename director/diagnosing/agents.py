"""The agents: their CLIs, models, roles and prices; and one short call to each, if wanted."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from difflib import get_close_matches
from urllib.parse import urlsplit

from director.agents.backend import Backend
from director.agents.callers import Callers, open_callers
from director.agents.calls import Assignment
from director.agents.client import AgentClient, interruptible_sleep, unpriced_models
from director.agents.registry import AGENT_FOLDERS, BACKENDS, backends_of, tier_of
from director.agents.templates import load_template
from director.diagnosing.checkouts import Checkouts
from director.diagnosing.subject import Found, Settings
from director.job.job_agents import agent_context
from director.model.config import Config
from director.model.diagnosis import Level, Row, ok, problem, warning
from director.model.errors import DirectorError, RequestError
from director.model.format import duration, money
from director.model.roles import PAIRS, Agent, Role
from director.processes.capture import said_version
from director.records.call_notes import CallNotes
from director.records.ledger import Ledger

LOCAL = "local/"
REACH_SECS = 3.0
LIVE_PROMPT = "Reply with the one word `ok`. Use no tool, read no file, change nothing.\n"


def programs(env: Mapping[str, str], config: Config | None) -> Iterator[Row]:
    """Give the CLI of each tier with its version, as it says itself.

    Without a configuration all that are installed, of which one has to be.
    """
    if config:
        for backend in backends_of(config.tiers.values()):
            yield _program(backend, env, config)
        return
    rows = [_program(one, env, Config({})) for one in BACKENDS]
    there = [row for row in rows if row.level is not Level.PROBLEM]
    yield from there or rows[:1]


def _program(backend: Backend, env: Mapping[str, str], config: Config) -> Row:
    about = backend.title
    try:
        program = backend.program(config, env)
        said = said_version(str(program), {**env, **backend.ask_env})
        if not said:
            fix = f"see what `{program} --version` says, or install it again"
            return problem(about, f"{program} does not start", fix)
        if config.tiers:
            backend.check(config, env)
    except RequestError as error:
        return problem(about, error.what, error.next_step)
    version = said.splitlines()[0]
    if _numbers(version) < _numbers(backend.tried):
        fix = f"update it: director was tried with {backend.tried}"
        return warning(about, f"{version} ({program})", fix)
    return ok(about, f"{version} ({program})")


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)+", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def templates(found: Found) -> Row:
    """Return whether the files of the six roles can be read, and which are the repository's own."""
    root = found.repository.root
    try:
        for agent in Agent:
            load_template(agent, root, AGENT_FOLDERS)
    except DirectorError as error:
        return problem("agents", error.what, error.next_step)
    own = {
        agent.value
        for agent in Agent
        for folder in AGENT_FOLDERS
        if (root / folder / f"{agent}.md").is_file()
    }
    said = f"; the repository's own: {', '.join(sorted(own))}" if own else ""
    return ok("agents", f"six roles{said}")


def prices(settings: Settings) -> Iterator[Row]:
    """Give the models without a price, and the prices of no tier."""
    config, about = settings.config, "prices"
    tiers = set(config.tiers.values())
    for model, roles in unpriced_models(config).items():
        reports = tier_of(model).backend.promises.reported_cost
        known = "only what its CLI reports is known" if reports else "its cost stays unknown"
        said = f"no [pricing] for {model} ({', '.join(roles)}): {known}, also to the ceiling"
        where = settings.place("tiers", roles[0])
        yield warning(about, said, f'add [pricing."{model}"] with input and output', where)
    for model in config.pricing:
        if model not in tiers:
            near = get_close_matches(model, tiers, 1)
            fix = f"did you mean {near[0]}?" if near else "remove it, unless it is for later"
            yield warning(about, f"no tier uses {model}", fix, settings.place("pricing", model))
    if tiers <= set(config.pricing):
        ceiling = config.limits.cost_ceiling_usd
        bound = f"a job may cost {money(ceiling)}" if ceiling else "there is no ceiling"
        yield ok(about, f"every model has one; {bound}")


def models(found: Found, checkouts: Checkouts) -> Iterator[Row]:
    """Give each model of the tiers, as its CLI knows it in a worktree, and how calls are made.

    The worktree is that of the gates, which is needed anyway: all that is here is the user's own.
    """
    settings = found.settings
    found.subject.begins("asking which models there are")
    base = checkouts.base
    with _callers(checkouts) as callers, base.pool.lease_gate(base.commit) as place:
        listed = callers.models(place.path)
        for model, roles in _by_model(settings.config).items():
            yield _model(settings, model, roles, listed)
        yield from callers.remarks(place.path)


def _by_model(config: Config) -> dict[str, list[Role]]:
    found: dict[str, list[Role]] = {}
    for role, model in config.tiers.items():
        found.setdefault(model, []).append(role)
    return found


def _callers(checkouts: Checkouts) -> AbstractContextManager[Callers]:
    memory = checkouts.inputs.directory.path / "models.json"
    return open_callers(agent_context(checkouts.inputs, checkouts.worktrees, memory))


def _model(
    settings: Settings, model: str, roles: list[Role], listed: Mapping[str, Collection[str]]
) -> Row:
    backend = tier_of(model).backend
    known, about = listed.get(backend.name, ()), "model"
    said, where = f"{model} ({', '.join(roles)})", settings.place("tiers", roles[0])
    if settings.config.local and model.startswith(LOCAL):
        return _local(said, settings)
    if model in known:
        return ok(about, said)
    if not known:
        fix = "`director doctor --live` asks the provider, which costs a little"
        what = f"{said}: {backend.title} does not say which models it has"
        return warning(about, what, fix, where)
    near = get_close_matches(model, known, 1)
    guess = f"did you mean {near[0]}? " if near else ""
    if not backend.lists_all:
        fix = f"{guess}`director doctor --live` asks the provider"
        return warning(about, f"{said} is not in the catalogue of {backend.title}", fix, where)
    provider = model.partition("/")[0]
    some = any(one.startswith(f"{provider}/") for one in known)
    none = "" if some else f"; it has no model of {provider} at all: it needs that provider's key"
    fix = f"{guess}correct the tier, or give {backend.title} the provider's key"
    return problem(about, f"{backend.title} does not know {said}{none}", fix, where)


def _local(said: str, settings: Settings) -> Row:
    """Return whether anything listens where the models of ``[providers.local]`` are."""
    local = settings.config.local
    assert local is not None
    where = settings.place("providers", "local", "base_url")
    try:
        place = urlsplit(local.base_url)
        port = place.port or (443 if place.scheme == "https" else 80)
        socket.create_connection((place.hostname or "", port), REACH_SECS).close()
    except (OSError, ValueError) as error:
        what = f"{said}: nothing answers at {local.base_url} ({error})"
        return problem("model", what, "start it, or correct base_url of [providers.local]", where)
    return ok("model", f"{said}: {local.base_url} answers")


def live_calls(found: Found, checkouts: Checkouts) -> Iterator[Row]:
    """Make one short call to each model of the tiers, and give what came of it, with its cost."""
    config = found.settings.config
    once = config._replace(limits=config.limits._replace(provider_retries=0))
    with _callers(checkouts) as callers, checkouts.base.pool.lease(checkouts.base.commit) as place:
        client = _client(found, checkouts, callers, once)
        for model, roles in _by_model(config).items():
            found.subject.begins(f"calling {model}")
            agent = next(agent for agent, role in PAIRS if role is roles[0])
            assignment = Assignment(agent, roles[0], LIVE_PROMPT, place.path, f"live-{roles[0]}")
            where = found.settings.place("tiers", roles[0])
            yield _call(client, assignment, f"{model} ({', '.join(roles)})", where)


def _client(found: Found, checkouts: Checkouts, callers: Callers, config: Config) -> AgentClient:
    directory, cancellation = checkouts.inputs.directory, found.subject.cancellation
    return AgentClient(
        callers,
        config,
        Ledger(directory.costs),
        CallNotes(directory.calls),
        checkouts.inputs.events,
        cancellation,
        interruptible_sleep(cancellation),
    )


def _call(client: AgentClient, assignment: Assignment, said: str, where: str) -> Row:
    before = len(client.ledger.records)
    try:
        reply = client.ask(assignment)
        took, trouble = duration(reply.wall_secs), reply.reason
    except RequestError as error:
        return problem("live", error.what, error.next_step, where)
    except DirectorError as error:
        client.cancellation.check()
        took, trouble = "", error.what
    costs = [one.cost for one in client.ledger.records[before:]]
    usd = None if None in costs else sum(one or 0.0 for one in costs)
    if trouble:
        fix = "see what its provider says of the key, the quota and the model's name"
        return problem("live", f"{said}: {trouble}", fix, where)._replace(usd=usd)
    return ok("live", f"{said} answered in {took}, {money(usd)}")._replace(usd=usd)
