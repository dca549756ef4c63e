"""The configuration that calls are made with: director's own agents, and nothing that can ask."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from director.agents.calls import Assignment
from director.agents.opencode.project import deep_merge
from director.agents.permissions import everywhere, permissions
from director.agents.templates import Template
from director.model.config import Config, Sampling
from director.model.roles import PAIRS, Agent, Role

NAME_PREFIX = "director-"


def unknown_prefix() -> str:
    """Return a prefix for names of agents that no project can know beforehand.

    OpenCode merges agents of one name: steps, sampling and permissions of a project's agent, and
    that it is disabled, would be ours.
    """
    return f"{NAME_PREFIX}{os.urandom(4).hex()}-"


def inline_config(
    assignment: Assignment, template: Template, config: Config, prefix: str = NAME_PREFIX
) -> dict[str, Any]:
    """Return the configuration that defines this call's agent; ``prefix`` begins its name."""
    agent = _agent(assignment.agent, assignment.role, template, config, assignment.allowlist)
    return {
        "agent": {f"{prefix}{assignment.agent}": agent},
        "provider": _provider_settings(assignment.role, config),
        **_everywhere(),
    }


def server_config(
    templates: Mapping[Agent, Template], config: Config, plugin: Path, prefix: str = NAME_PREFIX
) -> dict[str, Any]:
    """Return the configuration that defines all agents at once, for a server.

    What one call may edit is told when it is made (``session_rules``).
    """
    return {
        "agent": {
            server_agent(agent, role, prefix): _agent(agent, role, templates[agent], config)
            for agent, role in PAIRS
        },
        "provider": _all_provider_settings(config),
        "plugin": [plugin.as_uri()],
        **_everywhere(),
    }


def server_agent(agent: Agent, role: Role, prefix: str = NAME_PREFIX) -> str:
    """Return what an agent on a tier is called on a server: each tier has its own sampling."""
    return f"{prefix}{role if role is Role.ESCALATION else agent}"


def suits_server(assignment: Assignment, config: Config) -> bool:
    """Whether a call is the same on a server, where all tiers share the settings of a model."""
    own = _provider_settings(assignment.role, config)
    shared = _all_provider_settings(config)
    provider, _, name = config.tiers[assignment.role].partition("/")
    same = _model(shared, provider, name) == _model(own, provider, name)
    return same and (assignment.agent, assignment.role) in PAIRS


def session_rules(
    assignment: Assignment, template: Template, env: Mapping[str, str]
) -> tuple[dict[str, str], ...]:
    """Return all permissions of one call as a session has them (the last match wins).

    What OpenCode cut out of long tool output may be read, as it adds itself to an agent's rules.
    """
    rules = permissions(assignment.agent, template.permission, assignment.allowlist)
    data = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME") or Path.home()) / ".local/share")
    outside = [("external_directory", f"{data}/opencode/tool-output/*", "allow")]
    listed = [
        (tool, pattern, str(action))
        for tool, rule in rules.items()
        for pattern, action in (rule.items() if isinstance(rule, dict) else [("*", rule)])
    ]
    return tuple(
        {"permission": tool, "pattern": pattern, "action": action}
        for tool, pattern, action in (*listed, *outside)
    )


def _agent(
    agent: Agent, role: Role, template: Template, config: Config, allowlist: Iterable[str] = ()
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "mode": "primary",
        "description": f"director's {agent}",
        "prompt": template.prompt,
        "permission": permissions(agent, template.permission, allowlist),
        **_sampling_settings(config.sampling.get(role, Sampling())),
    }
    if isinstance(template.header.get("steps"), int):
        found["steps"] = template.header["steps"]
    return found


def _everywhere() -> dict[str, Any]:
    return {
        "permission": everywhere(),
        "snapshot": False,
        "share": "disabled",
        "autoupdate": False,
        "experimental": {"continue_loop_on_deny": True},
    }


def _all_provider_settings(config: Config) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for role in config.tiers:
        merged = deep_merge(merged, _provider_settings(role, config))
    return merged


def _model(settings: Mapping[str, Any], provider: str, name: str) -> object:
    return settings.get(provider, {}).get("models", {}).get(name, {})


def _sampling_settings(sampling: Sampling) -> dict[str, Any]:
    """Return the agent's sampling keys; those the agent does not know go into the request body."""
    known = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "seed": sampling.seed,
        "reasoningEffort": sampling.reasoning_effort,
    }
    return {k: v for k, v in known.items() if v is not None} | dict(sampling.options)


def _provider_settings(role: Role, config: Config) -> dict[str, Any]:
    provider, _, name = config.tiers[role].partition("/")
    sampling = config.sampling.get(role, Sampling())
    details: dict[str, Any] = {}
    if sampling.temperature is not None:
        details["temperature"] = True  # else the agent keeps the temperature to itself
    settings: dict[str, Any] = {}
    if provider == "local" and config.local:
        settings = {
            "npm": "@ai-sdk/openai-compatible",
            "name": "local",
            "options": {"baseURL": config.local.base_url, "apiKey": config.local.api_key},
        }
        details["limit"] = {"context": config.local.context, "output": config.local.output}
        details.setdefault("temperature", True)
    if details:
        settings["models"] = {name: details}
    return {provider: settings} if settings else {}
