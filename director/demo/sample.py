"""Makes the sample repository, with a configuration whose models are the scripted ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from director.demo.texts import sample_files
from director.records.files import write_text
from director.records.job_directory import FOLDER, Home
from director.repositories.git import Git

CONFIG = """\
# The demo's configuration. The models are scripted; the prices are what such models might cost.

[tiers]
planner     = "local/planner"        # plans and criticises: the strong one
test_author = "local/test-author"
executor    = "local/executor"       # types: the cheap one
explorer    = "local/explorer"
reviewer    = "local/reviewer"
escalation  = "local/escalation"     # is asked when the executor has used up its attempts

[providers.local]
base_url = "{base_url}"

[opencode]
server = "{server}"

[gates]
test = "python3 -m unittest discover -s tests -t ."

[limits]
max_attempts = 2
cost_ceiling_usd = 5.0

# US dollars per million tokens
[pricing]
"local/planner"     = {{ input = 5.0, output = 25.0, cache_read = 0.5 }}
"local/test-author" = {{ input = 3.0, output = 15.0, cache_read = 0.3 }}
"local/executor"    = {{ input = 0.1, output = 0.4, cache_read = 0.02 }}
"local/explorer"    = {{ input = 0.1, output = 0.4, cache_read = 0.02 }}
"local/reviewer"    = {{ input = 3.0, output = 15.0, cache_read = 0.3 }}
"local/escalation"  = {{ input = 5.0, output = 25.0, cache_read = 0.5 }}
"""


def make_sample(
    directory: Path, base_url: str, env: Mapping[str, str], server: str = "auto"
) -> None:
    """Make the sample repository in ``directory`` (an empty or a missing folder), one commit.

    ``base_url`` is where the models are reached, ``server`` how OpenCode is run. The identity is
    the repository's own, so that a machine where git knows no name will do. Raises DirectorError
    when git or the disk fails.
    """
    files = sample_files()
    for name, content in files.items():
        write_text(directory / name, content)
    home = Home(directory / FOLDER)
    home.prepare()
    write_text(home.config, CONFIG.format(base_url=base_url, server=server))
    git = Git.at(directory, env)
    git.output("init", "--quiet", "--initial-branch=main")
    git.output("config", "user.name", "director demo")
    git.output("config", "user.email", "demo@example.com")
    git.output("add", "--force", "--", *files, *_tracked(home, directory))
    git.output("commit", "--quiet", "--message", "Start textkit: squeeze and excerpt")


def _tracked(home: Home, directory: Path) -> list[str]:
    return [str(path.relative_to(directory)) for path in (home.config, home.gitignore)]
