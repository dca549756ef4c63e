"""The tools a merge was made with, for its receipt."""

from __future__ import annotations

from collections.abc import Mapping

from director import __version__
from director.processes.capture import said_version
from director.repositories.git import Git


def tool_versions(git: Git, clis: Mapping[str, str]) -> dict[str, str]:
    """Return name → version of what works here; what does not say its version is left out.

    ``clis`` are the versions of the agent CLIs that make the calls.
    """
    import platform  # slow to import

    known = {
        "director": __version__,
        "git": said_version("git", git.env).removeprefix("git version "),
        **clis,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    return {name: version for name, version in known.items() if version}
