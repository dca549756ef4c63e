"""Whether a test command fails whatever the work is: decided from texts alone.

An attempt after which the output is what it was before may be a bad attempt (``2 != 3``, still), or
the command failed before it used the work, because something is missing in the environment. That
takes all of these:

1. The run on the work ends with the same code and the same output as the run before it
   (``output_digest.py``).
2. No test is known to have run (``CommandRun.executed``): a test that ran and failed is the work's.
   A runner that did not get to its summary ran none.
3. A *control* run has the same output, too: one where each file that the work may change holds
   UNREADABLE, which no compiler, interpreter or parser takes. What imports, compiles or reads the
   work would print something else; so a function that is missing, or has another name, is the
   work's.
4. Where no runner's count is there to read, the last line has to be that of a program that cannot
   continue ("cat: /etc/x.conf: No such file or directory"), and no line a test's ("expected",
   "FAIL"), nor may it name the node's own files: a script that looks for a word in a file says
   the same whatever else that file holds. Nor may it want a file of the worktree, which the work
   may be about to make ("cat: out/report.txt: No such file or directory").
5. No test caught what another program said ("returned non-zero exit status 1"): that may be the
   work's, and would have said something else.

Where one of them is in doubt the model continues to try: its attempts are cheaper than work that is
given up for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from director.model.patterns import lazy_pattern
from director.model.testing.command_run import CommandRun
from director.model.testing.output_digest import output_digest

UNREADABLE = (
    b")]} % this text stands in for the work: nothing reads it as a program or as data {[(\n"
)

_CANNOT_GO_ON = lazy_pattern(
    r"^[^\s:][^:\n]*:(?: .*)?(?:\bno such\b|\bnot (?:found|installed|available|set|a directory"
    r"|permitted|supported|recognized|reachable)\b|\b(?:cannot|can't|could not|couldn't|unable to"
    r"|failed to) (?:find|open|load|read|connect|start|execute|run|locate|resolve|access|stat|exec"
    r"|import|get|fetch|download)\b|\bmissing\b|\bdenied\b|\brefused\b|\btimed out\b"
    r"|\bunreachable\b|\bunsupported\b|\brequires\b|\bnot in (?:the )?path\b)",
    re.IGNORECASE,
)
_LINE_OF_SCRIPT = lazy_pattern(r"^\S+: (?:line )?\d+: ")
_AFTERWARDS = lazy_pattern(
    r"\s*(?:g?make(?:\[\d+\])?: |npm (?:error|ERR!)|error Command failed|.*ELIFECYCLE)"
)
_NO_FILE = lazy_pattern(
    r"\bno such file|\bnot found\b|\bdoes not exist\b"
    r"|\b(?:cannot|can't|could not|couldn't) (?:open|find|read|access|stat|load)\b",
    re.IGNORECASE,
)
# A path in the worktree, relative or not; what is installed there no work makes.
_IN_WORKTREE = lazy_pattern(
    r"(?:/slot-\d+/|(?<![\w./@+~$-])(?:\./)?(?=[\w@.-]+(?:/[\w@.-]|\.\w*[A-Za-z])))"
    r"(?!\.|node_modules/)[\w@-]"
)
_CAUGHT = lazy_pattern(
    r"\breturned non-zero exit status \d|^(?:Error: )?Command failed: ", re.MULTILINE
)
_A_TEST_SPEAKS = lazy_pattern(
    r"\b(?:FAIL|FAILED|FAILURE)\b|\bnot ok\b|\b[Aa]ssert|\b[Ee]xpect(?:ed|s)?\b|\b[Gg]ot\b|[✗✖✘]"
)


def may_be_independent(before: str, run: CommandRun, own_files: Iterable[str]) -> bool:
    """Whether ``run``, on the work, may have failed whatever the work is (rules 1, 2, 4, 5).

    ``before`` is the ``output_digest`` of the run before the work ("": not known), ``own_files``
    are the files and tests of the node. A control run decides then.
    """
    if not before or before != output_digest(run) or run.executed or _CAUGHT.search(run.plain):
        return False
    return run.executed == 0 or _cannot_go_on(run.plain, own_files)


def _cannot_go_on(text: str, own_files: Iterable[str]) -> bool:
    lines = [line for line in text.splitlines() if line.strip() and not _AFTERWARDS.match(line)]
    if not lines or _A_TEST_SPEAKS.search(text) or not _CANNOT_GO_ON.match(lines[-1]):
        return False
    # A message that names the node's own file may be about what is in it.
    own = {path.rpartition("/")[2].partition(".")[0] for path in own_files}
    said = _LINE_OF_SCRIPT.sub("", lines[-1])
    if _NO_FILE.search(said) and _IN_WORKTREE.search(said):
        return False
    return not any(re.search(rf"\b{re.escape(name)}\b", said) for name in own)
