"""What agents and gates of one command find: git's settings, the sandbox, the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from director.agents.registry import files_of_programs, state_folders
from director.job.context import Materials
from director.job.import_check import ImportCheck
from director.processes.launchers.launcher import Launcher, Surroundings
from director.processes.launchers.registry import launcher_of
from director.processes.sandbox import Sandbox, choose_mechanism
from director.processes.sandbox_paths import home_of, paths_in, sandbox_paths
from director.repositories.filters import COMMANDS, Filters
from director.repositories.git_settings import freeze_settings
from director.repositories.repository import Repository
from director.repositories.users_checkout import users_checkout

BYTECODE = "PYTHONPYCACHEPREFIX"  # compiled code outside the worktree, which anybody may have left


@dataclass(frozen=True)
class Site:
    """The user's repository as git sees it here, the sandbox, and the variables of gates and setup.

    Git's configuration is the one that was there before any agent ran. ``import_check`` refuses
    tests that do not import the worktree's code.
    """

    repository: Repository
    sandbox: Sandbox
    gate_env: Mapping[str, str]
    import_check: ImportCheck


def launcher_at(materials: Materials, job: Path) -> Launcher:
    """Return the launcher for work on the job repository at ``job``; RequestError: there is none.

    Any that is made for the same job knows what the others have started.
    """
    setting, label = materials.setting, materials.processes.label
    found = Surroundings(label, setting.env, setting.repository.root, job)
    return launcher_of(materials.config.launcher, found)


def site_of(materials: Materials, job: Path, folder: Path) -> Site:
    """Return the site for worktrees in ``folder``, of the job repository at ``job``."""
    user, env = materials.setting.repository, materials.setting.env
    config, home = materials.config, home_of(env)
    policy = config.sandbox
    settings = freeze_settings(user.git, home, folder / "notes" / "git")
    mechanism = choose_mechanism(policy, env)
    shown = {name: value for name, value in config.env.of(env).items() if name != BYTECODE}
    checkout = users_checkout(user, shown, (home, folder.resolve()), paths_in(policy.read, home))
    kept = (user.root, user.common_dir, user.objects, job)
    paths = None
    if mechanism:
        own = state_folders(config.tiers.values())
        trusted = (*settings.sources, *files_of_programs(config, env))
        paths = sandbox_paths(policy, kept, folder, env, trusted, checkout, own)
    sandbox = Sandbox(policy, mechanism, paths, launcher_at(materials, job))
    commands = {k: v for k, v in settings.everywhere.items() if COMMANDS.fullmatch(k)}
    filters = Filters(commands, sandbox, job, folder / "notes" / "filters")
    # Where these files are kept from everybody, tests find what they would find elsewhere.
    frozen = {} if mechanism else settings.variables
    gate_env, sources = {**shown, **frozen}, materials.sources
    given = (*sources.roots, *sources.linked)
    check = ImportCheck(checkout, gate_env, bool(config.worktree.setup), given)
    return Site(user.reading(settings, filters), sandbox, gate_env, check)
