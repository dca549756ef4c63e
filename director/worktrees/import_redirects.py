"""What redirects imports out of a worktree: into the user's checkout, or to an installed copy.

Read from the files of a Python environment and of ``node_modules``; no code of the project runs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

from director.model.testing.checkout_paths import Checkout
from director.processes.capture import capture

SITES = """\
import json, site
print(json.dumps([*site.getsitepackages(), site.getusersitepackages()]))
"""
ANSWER_SECS = 10.0
LONGEST = 1_000_000  # bytes of a file that is read here
HOOK = re.compile(r"^import (?P<module>[\w.]+)")  # of a .pth file: runs code when Python starts
QUOTED = re.compile(r"""["'](?P<path>/[^"'\n]+)["']""")
NOT_IMPORTED = frozenset(
    {"setup", "conftest", "tests", "test", "docs", "examples", "build", "dist"}
)
ROOT = Path("/")


@dataclass(frozen=True)
class Redirect:
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
    interpreter: Path, env: Mapping[str, str], project: Project
) -> Iterator[Redirect]:
    """Give the redirects among the packages that are installed for an interpreter."""
    return chain.from_iterable(
        _redirects_in(site, project) for site in site_folders(interpreter, env)
    )


@dataclass(frozen=True)
class Project:
    """The project under test: ``checkout``, and the names it is distributed by (normalised)."""

    checkout: Checkout
    names: frozenset[str]


def interpreter_of(program: str, folder: Path, env: Mapping[str, str]) -> Path | None:
    """Return the Python that runs ``program``, as a command in ``folder`` names it, or None."""
    place = folder / program if "/" in program else shutil.which(program, path=env.get("PATH"))
    if place is None or not Path(place).is_file():
        return None
    if re.fullmatch(r"(?:python|pypy)[\d.]*", Path(place).name):
        return Path(place)
    first = _text(Path(place))[:500].splitlines()[:2]
    if not first or not first[0].startswith("#!"):
        return None
    words = [word.strip("'\"") for line in first for word in line.removeprefix("#!").split()]
    named = [word for word in words if re.fullmatch(r".*(?:python|pypy)[\d.]*", word)]
    if not named:
        return None
    found = named[0] if "/" in named[0] else shutil.which(named[0], path=env.get("PATH"))
    return Path(found) if found else None


def site_folders(interpreter: Path, env: Mapping[str, str]) -> list[Path]:
    """Return the folders in which packages are installed for an interpreter.

    Those of a virtual environment are read from its files; any other interpreter is asked, in a
    way that runs nothing that is installed.
    """
    prefix = interpreter.parent.parent
    config = _text(prefix / "pyvenv.cfg")
    if not config:
        return [Path(one) for one in _asked(interpreter, tuple(sorted(env.items())))]
    found = sorted(prefix.glob("lib*/python*/site-packages"))
    settings = dict(re.findall(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$", config, re.MULTILINE))
    if settings.get("include-system-site-packages", "").lower() == "true":
        base = Path(settings.get("home", "")) / "python3"
        found += site_folders(base, env) if base.is_file() else []
    return list(dict.fromkeys(path.resolve() for path in found))


@cache
def _asked(interpreter: Path, env: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    with suppress(OSError, ValueError):
        words = [str(interpreter), "-I", "-S", "-c", SITES]
        done = capture(words, ROOT, dict(env), timeout_secs=ANSWER_SECS)
        return tuple(map(str, json.loads(done.out)))
    return ()


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
            yield from _to([_text(path).partition("\n")[0]], path, project.checkout)
        elif name.endswith(".dist-info"):
            yield from _of_distribution(path, project)
        elif path.is_symlink() and project.checkout.holds(path.resolve()):
            yield Redirect(path.resolve(), str(path), frozenset({path.stem}))


def _of_pth(path: Path, checkout: Checkout) -> Iterator[Redirect]:
    for line in _text(path).splitlines():
        hook = HOOK.match(line)
        if hook is None:
            yield from _to([line.strip()], path, checkout)
            continue
        code = path.with_name(f"{hook['module']}.py")
        for found in QUOTED.finditer(_text(code)):
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


@dataclass(frozen=True)
class _Origin:
    path: Path
    editable: bool


def _origin(distribution: Path) -> _Origin | None:
    """Return the folder that a distribution was installed from (PEP 610), if it was one."""
    with suppress(ValueError, AttributeError):
        said = json.loads(_text(distribution / "direct_url.json") or "{}")
        url = urlsplit(str(said.get("url", "")))
        if url.scheme == "file":
            editable = said.get("dir_info", {}).get("editable") is True
            return _Origin(Path(unquote(url.path)).resolve(), editable)
    return None


def _modules_of(distribution: Path) -> frozenset[str]:
    """Return the modules of a distribution, by its list of them or of its files."""
    if listed := _text(distribution / "top_level.txt").split():
        return frozenset(listed)
    paths = [line.partition(",")[0] for line in _text(distribution / "RECORD").splitlines()]
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


def _text(path: Path) -> str:
    """Return the beginning of a file; "" where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST).decode(errors="surrogateescape")
    except OSError:
        return ""
