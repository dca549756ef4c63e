"""The configuration that goes with one call: director's own agent, and nothing that can ask."""

from __future__ import annotations

from typing import Any

from director.agents.calls import Assignment
from director.agents.permissions import everywhere, permissions
from director.agents.templates import Template
from director.model.config import Config, Sampling

NAME_PREFIX = "director-"  # names of director's own: a project's agent cannot merge into them


def inline_config(assignment: Assignment, template: Template, config: Config) -> dict[str, Any]:
    """Return the configuration that defines this call's agent, whatever the project defines."""
    rules = permissions(assignment.agent, template.permission, assignment.allowlist)
    sampling = config.sampling.get(assignment.role, Sampling())
    agent: dict[str, Any] = {
        "mode": "primary",
        "description": f"director's {assignment.agent}",
        "prompt": template.prompt,
        "permission": rules,
        **_sampling_settings(sampling),
    }
    if isinstance(template.header.get("steps"), int):
        agent["steps"] = template.header["steps"]
    return {
        "agent": {f"{NAME_PREFIX}{assignment.agent}": agent},
        "permission": everywhere(),
        "provider": _provider_settings(config.tiers[assignment.role], sampling, config),
        "snapshot": False,
        "share": "disabled",
        "autoupdate": False,
        "experimental": {"continue_loop_on_deny": True},
    }


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


def _provider_settings(model: str, sampling: Sampling, config: Config) -> dict[str, Any]:
    provider, _, name = model.partition("/")
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
