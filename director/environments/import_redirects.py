"""What redirects imports out of a worktree: into the user's checkout, or to an installed copy.

Read from the files of a Python environment and of ``node_modules``; no code of the project runs.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from director.environments.python_interpreters import site_folders
from director.model.patterns import lazy_pattern
from director.model.testing.checkout_paths import Checkout
from director.records.files import read_beginning

HOOK = lazy_pattern(r"^import (?P<module>[\w.]+)")  # of a .pth file: runs code when Python starts
QUOTED = lazy_pattern(r"""["'](?P<path>/[^"'\n]+)["']""")
NOT_IMPORTED = frozenset(
    {"setup", "conftest", "tests", "test", "docs", "examples", "build", "dist"}
)


class Redirect(NamedTuple):
    """A redirect of imports: ``source`` (a file, or a variable) makes them look in ``path``.

    ``modules`` are those that are found there. ``distribution`` is the name and version of the
    project where a copy of it is installed ("": it is the checkout itself).
    """

    path: Path
    source: str
    modules: frozenset[str] = frozenset()
    distribution: str = ""

    def __str__(self) -> str:
        """In words."""
        if self.distribution:
            return f"{self.distribution} is installed: {self.source}"
        return f"{self.source} leads to {self.path}"


def path_redirects(variable: str, entries: Iterable[str], checkout: Checkout) -> Iterator[Redirect]:
    """Give the entries of a search path that lie in the checkout."""
    for entry in entries:
        if entry.startswith("/") and checkout.holds(path := Path(entry).resolve()):
            yield Redirect(path, variable, _modules_in(path))


def python_redirects(
    interpreter: Path, env: Mapping[str, str], project: "Project"
) -> Iterator[Redirect]:
    """Give the redirects among the packages that are installed for an interpreter."""
    return chain.from_iterable(
        _redirects_in(site, project) for site in site_folders(interpreter, env)
    )


class Project(NamedTuple):
    """The project under test: ``checkout``, and the names it is distributed by (normalised)."""

    checkout: Checkout
    names: frozenset[str]


def _redirects_in(site: Path, project: Project) -> Iterator[Redirect]:
    try:
        entries = sorted(os.listdir(site))  # noqa: PTH208
    except OSError:
        return
    for name in entries:
        path = site / name
        if name.endswith(".pth"):
            yield from _of_pth(path, project.checkout)
        elif name.endswith(".egg-link"):
            yield from _to([read_beginning(path).partition("\n")[0]], path, project.checkout)
        elif name.endswith(".dist-info"):
            yield from _of_distribution(path, project)
        elif path.is_symlink() and project.checkout.holds(path.resolve()):
            yield Redirect(path.resolve(), str(path), frozenset({path.stem}))


def _of_pth(path: Path, checkout: Checkout) -> Iterator[Redirect]:
    for line in read_beginning(path).splitlines():
        hook = HOOK.match(line)
        if hook is None:
            yield from _to([line.strip()], path, checkout)
            continue
        code = path.with_name(f"{hook['module']}.py")
        for found in QUOTED.finditer(read_beginning(code)):
            place = Path(found["path"])
            if checkout.holds(place):
                yield Redirect(place, str(code), frozenset({place.stem}))


def _to(targets: Iterable[str], source: Path, checkout: Checkout) -> Iterator[Redirect]:
    for target in targets:
        if target.startswith("/") and checkout.holds(place := Path(target).resolve()):
            yield Redirect(place, str(source), _modules_in(place))


def _of_distribution(path: Path, project: Project) -> Iterator[Redirect]:
    name, _, version = path.name.removesuffix(".dist-info").partition("-")
    if normalised(name) not in project.names:
        return
    modules = _modules_of(path)
    origin = _origin(path)
    if origin is None or not origin.editable:
        yield Redirect(path.parent, str(path), modules, f"{name} {version}")
    elif project.checkout.holds(origin.path):
        found = _modules_in(origin.path / "src") or _modules_in(origin.path)
        yield Redirect(origin.path, str(path / "direct_url.json"), modules | found)


class _Origin(NamedTuple):
    path: Path
    editable: bool


def _origin(distribution: Path) -> _Origin | None:
    """Return the folder that a distribution was installed from (PEP 610), if it was one."""
    with suppress(ValueError, AttributeError):
        said = json.loads(read_beginning(distribution / "direct_url.json") or "{}")
        url = urlsplit(str(said.get("url", "")))
        if url.scheme == "file":
            editable = said.get("dir_info", {}).get("editable") is True
            return _Origin(Path(unquote(url.path)).resolve(), editable)
    return None


def _modules_of(distribution: Path) -> frozenset[str]:
    """Return the modules of a distribution, by its list of them or of its files."""
    if listed := read_beginning(distribution / "top_level.txt").split():
        return frozenset(listed)
    paths = [
        line.partition(",")[0] for line in read_beginning(distribution / "RECORD").splitlines()
    ]
    tops = {path.partition("/")[0] for path in paths if path.endswith(".py")}
    return frozenset(name.removesuffix(".py") for name in tops if "-" not in name)


def _modules_in(folder: Path) -> frozenset[str]:
    """Return the modules that can be imported from a folder."""
    found = set()
    with suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.endswith(".py"):
                found.add(entry.name.removesuffix(".py"))
            elif Path(entry.path, "__init__.py").is_file():
                found.add(entry.name)
    return frozenset(found - NOT_IMPORTED)


def node_redirects(folder: Path, checkout: Checkout) -> Iterator[Redirect]:
    """Give the links of a ``node_modules`` folder that redirect into the checkout."""
    packages = [folder, *(path for path in _entries(folder) if path.name.startswith("@"))]
    for path in chain.from_iterable(map(_entries, packages)):
        if path.is_symlink() and checkout.holds(path.resolve()):
            yield Redirect(path.resolve(), str(path), frozenset({path.name}))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def normalised(name: str) -> str:
    """Return the name of a distribution as installers compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
