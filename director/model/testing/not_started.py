"""Why a shell could not start a program (exit codes 126 and 127), from what it printed."""

from __future__ import annotations

from director.model.patterns import lazy_pattern

NOT_EXECUTABLE, NOT_FOUND = 126, 127  # POSIX shell, "Exit Status for Commands"

_NAMED = (
    # coreutils: "env: 'pytest': No such file or directory"
    lazy_pattern(r"^\w+: (?:failed to run command )?[‘'](?P<program>[^’'\n]+)[’']: .+$"),
    # dash: "sh: 1: pytest: not found"; busybox: "sh: pytest: not found"; bash: "sh: line 1: …"
    lazy_pattern(
        r"^\S+: (?:(?:line )?\d+: )?(?P<program>[^:\n]+): "
        r"(?:not found|command not found|[Pp]ermission denied|No such file or directory"
        r"|Is a directory|cannot execute\b.*|bad interpreter: .*)$"
    ),
)


def why_not_started(code: int, output: str) -> str | None:
    """Say which program could not be started, and where it was looked for.

    None where ``code`` is another exit code than a shell's for that.
    """
    if code not in (NOT_EXECUTABLE, NOT_FOUND):
        return None
    name = _program(output)
    program = f"`{name}`" if name else "a program"
    if code == NOT_EXECUTABLE:
        return f"{program} cannot be executed in a fresh worktree"
    if name and "/" in name:
        return f"{program} is missing in a fresh worktree"
    return f"{program} was not found, neither on PATH nor in a fresh worktree"


def _program(output: str) -> str:
    """Return the program named in the last line that names one ("": there is none)."""
    for line in reversed(output.splitlines()):
        for pattern in _NAMED:
            if found := pattern.match(line.strip()):
                return found["program"].strip()
    return ""
