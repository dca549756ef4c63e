"""All tools, which of them a server offers, and which does what a command line does."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from director.mcp.planning_tools import PLANNING_TOOLS
from director.mcp.reading_tools import READING_TOOLS
from director.mcp.tool import Tool
from director.mcp.working_tools import WORKING_TOOLS

LAND = "land"  # changes the user's own branch: offered only where that is allowed
TOOLS: tuple[Tool, ...] = (*PLANNING_TOOLS, *WORKING_TOOLS, *READING_TOOLS)


def offered(commands: Collection[str], *, allow_land: bool) -> dict[str, Tool]:
    """Return the tools whose commands there are, by name; `land` only where it is allowed."""
    known = [one for one in TOOLS if one.command in commands]
    return {one.name: one for one in known if allow_land or one.name != LAND}


def tool_for(command: Sequence[str]) -> str:
    """Return the name of the tool that does what a command line (``director …``) does, or ""."""
    if len(command) < 2 or command[0] != "director":
        return ""
    name, words = command[1], set(command[2:])
    if name == "plan":
        return _planning(words)
    if name == "status" and "--node" in words:
        return "node"
    if name == "jobs" and "--resume" in words:
        return "resume_job"
    own = {one.name for one in TOOLS if one.name == one.command and one.name != LAND}
    return name if name in own else ""


def _planning(words: Collection[str]) -> str:
    if "--show" in words or "--resume" in words:
        return ""
    if "--revise" in words or "--drop" in words:
        return "revise"
    return "approve" if "--continue" in words or "--answer" in words else "plan"
