"""What the configuration says of OpenCode: the section ``[opencode]``."""

from __future__ import annotations

from director.model.config import Config
from director.model.config import OpenCodeOptions as OpenCodeOptions

NAME = "opencode"


def options_of(config: Config) -> OpenCodeOptions:
    """Return the section of a configuration, or what holds without one."""
    found = config.agents.get(NAME)
    return found if isinstance(found, OpenCodeOptions) else OpenCodeOptions()
