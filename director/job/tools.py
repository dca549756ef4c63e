"""The tools a merge was made with, for its receipt."""

from __future__ import annotations

from director import __version__
from director.processes.capture import said_version
from director.repositories.git import Git


def tool_versions(git: Git, opencode: str) -> dict[str, str]:
    """Return name → version of what works here; what does not say its version is left out.

    ``opencode`` is that of the OpenCode which makes the calls.
    """
    import platform  # slow to import

    known = {
        "director": __version__,
        "git": said_version("git", git.env).removeprefix("git version "),
        "opencode": opencode,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    return {name: version for name, version in known.items() if version}
