"""The six roles as agent files: the bundled ones, and a repository's own, which win."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from director.agents.frontmatter import FrontmatterError, Value, split_frontmatter
from director.model.errors import RequestError
from director.model.roles import Agent
from director.records.files import read_text

BUNDLED = Path(__file__).parents[1] / "agent_templates"


class Template(NamedTuple):
    """An agent's prompt, and what its header says (``permission``, ``steps``, …).

    ``defaults`` are the permissions of tools that the header does not name.
    """

    prompt: str
    header: Mapping[str, Value]
    defaults: Mapping[str, Value] = {}

    @property
    def permission(self) -> dict[str, Value]:
        """The agent's permissions: tool → action, or tool → pattern → action.

        A header that says something of all tools (``"*"``) leaves nothing to the defaults.
        """
        found = self.header.get("permission", {})
        own: dict[str, Value] = found if isinstance(found, dict) else {"*": found}
        if "*" in own:
            return own
        return {tool: rule for tool, rule in self.defaults.items() if tool not in own} | own


def bundled_text(agent: Agent) -> str:
    """Return the agent file that ships with director."""
    return (BUNDLED / f"{agent}.md").read_text(encoding="utf-8")


def load_template(agent: Agent, repository_root: Path, folders: Iterable[str]) -> Template:
    """Return the repository's own agent file, in one of the ``folders``, else the bundled one.

    A tool that the own file does not name is permitted as in the bundled one. Raises
    RequestError, naming file and line, for a header that cannot be read.
    """
    bundled = _parse(bundled_text(agent), f"the bundled {agent}.md")
    for folder in folders:
        path = repository_root / folder / f"{agent}.md"
        text = read_text(path)
        if text is not None:
            return _parse(text, str(path))._replace(defaults=bundled.permission)
    return bundled


def _parse(text: str, name: str) -> Template:
    try:
        header, prompt = split_frontmatter(text)
    except FrontmatterError as error:
        raise RequestError(f"{name}: {error}", "correct that line of the agent file") from None
    if not prompt:
        raise RequestError(f"{name} has no prompt", "write one below the header")
    return Template(prompt, header)
