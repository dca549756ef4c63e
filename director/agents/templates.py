"""The six roles as agent files: the bundled ones, and a repository's own, which win."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from director.agents.frontmatter import FrontmatterError, Value, split_frontmatter
from director.model.errors import RequestError
from director.model.roles import Agent
from director.records.files import read_text

BUNDLED = Path(__file__).parents[1] / "agent_templates"
REPOSITORY_FOLDERS = (".opencode/agents", ".opencode/agent")


@dataclass(frozen=True)
class Template:
    """An agent's prompt, and what its header says (``permission``, ``steps``, …)."""

    prompt: str
    header: dict[str, Value]

    @property
    def permission(self) -> dict[str, Value]:
        """The header's permissions: tool → action, or tool → pattern → action."""
        found = self.header.get("permission", {})
        return found if isinstance(found, dict) else {"*": found}


def bundled_text(agent: Agent) -> str:
    """Return the agent file that ships with director."""
    return (BUNDLED / f"{agent}.md").read_text(encoding="utf-8")


def load_template(agent: Agent, repository_root: Path) -> Template:
    """Return the repository's own agent file, else the bundled one.

    Raises RequestError, naming file and line, for a header that cannot be read.
    """
    for folder in REPOSITORY_FOLDERS:
        path = repository_root / folder / f"{agent}.md"
        text = read_text(path)
        if text is not None:
            return _parse(text, str(path))
    return _parse(bundled_text(agent), f"the bundled {agent}.md")


def _parse(text: str, name: str) -> Template:
    try:
        header, prompt = split_frontmatter(text)
    except FrontmatterError as error:
        raise RequestError(f"{name}: {error}", "correct that line of the agent file") from None
    if not prompt:
        raise RequestError(f"{name} has no prompt", "write one below the header")
    return Template(prompt, header)
