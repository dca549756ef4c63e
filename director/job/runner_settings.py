"""Settings of the test runner that an agent changed in an ordinary project file."""

from __future__ import annotations

from director.model.plan import Node
from director.model.testing.support_files import changed_settings, has_settings
from director.repositories.history import History


def runner_settings_changed(job: History, node: Node, base: str, commit: str) -> list[str]:
    """Return what ``commit`` changed in ``base`` of how tests run: "path: setting".

    Files that the plan lets the node change in this respect are left out.
    """
    paths = [path for path in node.files if has_settings(path) and path not in node.test_support]
    if not paths:
        return []
    before, after = job.contents(base, paths), job.contents(commit, paths)
    return [
        f"{path}: {setting}"
        for path in paths
        for setting in changed_settings(path, before.get(path), after.get(path))
    ]
