"""The user's repository: read, and given one ref under ``director/``; nothing else."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from director.model.errors import RequestError, StoppedError
from director.processes.capture import Captured
from director.repositories.checkout import has_usual_format, top_of_checkout
from director.repositories.git import Git, GitError, git_version, split_z
from director.repositories.git_settings import FrozenSettings

if TYPE_CHECKING:
    from director.repositories.filters import Filters  # who only reads records does without

BRANCH_PREFIX = "director/"
OWN_FOLDER = ".director/"
LEAST_GIT = (2, 31)
OWN_NAME = "director <director@localhost>"  # an address that cannot exist, RFC 6761
# What the user set for strangers' repositories does not hold for director's own: their branch
# comes from a folder of theirs. ``TAKING`` holds on this side of a fetch, ``GIVING`` on the other.
TAKING = (
    "protocol.file.allow=always",
    "fetch.fsckObjects=false",
    "transfer.fsckObjects=false",
    "fetch.prune=false",
    "fetch.writeCommitGraph=false",
)
GIVING = "--upload-pack=git -c 'safe.directory=*' -c 'transfer.hideRefs=!refs/' upload-pack"


class Layout(NamedTuple):
    """Where git has what belongs to a checkout: its top folder, ``.git``, its object store.

    Of a linked worktree, ``common_dir`` is the main one's. ``object_format`` is ``sha1`` or
    ``sha256``.
    """

    root: Path
    common_dir: Path
    objects: Path
    object_format: str = "sha1"


class Repository:
    """A checkout of the user's, with the variables ``caller_env`` of director's caller.

    ``settings`` is the copy of the user's global configuration that git reads here (None: the
    configuration itself), ``filters`` what it runs on files of worktrees (None: as configured).
    """

    def __init__(
        self,
        layout: Layout,
        git: Git,
        caller_env: Mapping[str, str],
        settings: FrozenSettings | None = None,
        filters: "Filters | None" = None,
    ) -> None:
        self.layout = layout
        self.root, self.common_dir, self.objects, self.object_format = layout
        self.git = git
        self.caller_env = caller_env
        self.settings = settings
        self.filters = filters

    def reading(self, settings: FrozenSettings, filters: "Filters") -> "Repository":
        """Return the same checkout, where git reads ``settings``, and runs ``filters``."""
        git = self.git.with_variables(**settings.variables)
        env = {**self.caller_env, **settings.variables}
        return Repository(self.layout, git, env, settings, filters)

    def head(self) -> str:
        """Return the commit that HEAD names; RequestError on an unborn branch."""
        done = self.git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if done.code != 0:
            raise RequestError(
                f"{self.root} has no commit yet", "make a first commit, then run the command again"
            )
        return done.out.decode().strip()

    def check_room(self) -> None:
        """Raise RequestError where a branch has the name of the folder that job branches lie in."""
        name = BRANCH_PREFIX.rstrip("/")
        if self.git.ok("show-ref", "--verify", "--quiet", f"refs/heads/{name}"):
            raise RequestError(
                f"there is a branch called {name}: git cannot have {BRANCH_PREFIX}job-… beside it",
                f"give it another name: `git branch -m {name} {name}-old`",
            )

    def identity(self) -> dict[str, str]:
        """Return the variables that make commits carry the user's name and address.

        Where git knows none they are director's own.
        """
        return {
            **_variables("AUTHOR", OWN_NAME),
            **_variables("COMMITTER", OWN_NAME),
            **self._known,
        }

    @property
    def is_anonymous(self) -> bool:
        """Whether git does not know whose name commits should carry."""
        return len(self._known) < len(self.identity())

    @cached_property
    def _known(self) -> dict[str, str]:
        """The variables of those (author, committer) for whom git knows name and address."""
        found: dict[str, str] = {}
        own = {
            k: v for k, v in self.caller_env.items() if k.startswith(("GIT_AUTHOR_", "GIT_COMM"))
        }
        if ident := self._configured(own):
            return {**_variables("AUTHOR", ident), **_variables("COMMITTER", ident)}
        git = self.git.with_variables(**own)
        done = git.run("var", "GIT_AUTHOR_IDENT")
        for who in ("AUTHOR", "COMMITTER"):
            if who == "COMMITTER" and not self._are_one(own):
                done = git.run("var", "GIT_COMMITTER_IDENT")
            if done.code == 0:
                found |= _variables(who, done.out.decode(errors="replace"))
        return found

    def _configured(self, own: Mapping[str, str]) -> str:
        """Return what the configuration alone says commits carry; "": git has to be asked."""
        if self.settings is None or not self._are_one(own):
            return ""
        said = self.settings.everywhere
        name, address = said.get("user.name", ""), said.get("user.email", "")
        return f"{name} <{address}>" if _is_plain(name) and _is_plain(address) else ""

    def _are_one(self, own: Mapping[str, str]) -> bool:
        """Whether nothing tells the committer from the author: git need not be asked twice."""
        if self.settings is None or own:
            return False
        return not any(
            key.startswith(("author.", "committer.")) for key in self.settings.everywhere
        )

    def uncommitted(self, installed: Iterable[str]) -> int:
        """Return how many paths differ from HEAD; they never enter a job.

        Director's own folder does not count, nor what it has ``installed``.
        """
        apart = [f":(top,exclude){path}" for path in installed]
        command = ("status", "--porcelain=v1", "-z", "--no-renames", "--", *apart)
        git = self.git.with_variables(GIT_LITERAL_PATHSPECS="0")
        lines = split_z(git.output(*command))
        return sum(1 for line in lines if not line[3:].startswith(OWN_FOLDER))

    def complete(self, commit: str) -> None:
        """Fetch what a partial clone does not have yet of the files of ``commit``.

        A checkout of the user's would fetch the same; nothing but objects is added. StoppedError
        when the server does not give them.
        """
        server = self._promisor()
        before: set[str] = set()
        while server and (missing := self._missing(commit)):
            done = self._fetch_objects(server, missing) if missing != before else None
            if done is None or done.code != 0:
                said = done.err.decode(errors="replace").strip().splitlines() if done else []
                raise StoppedError(
                    f"this is a partial clone: objects of {commit[:12]} ({len(missing)}) cannot "
                    f"be fetched from {server}: {said[-1] if said else 'they do not arrive'}",
                    "make them reachable (`git checkout` would need them too), then try again",
                )
            before = missing

    def left_at_server(self, commit: str) -> int:
        """Return how many objects of ``commit`` a partial clone has not fetched yet."""
        return len(self._missing(commit)) if self._promisor() else 0

    def _promisor(self) -> str | None:
        """Return the remote that a partial clone fetches missing objects from."""
        found = self.git.run("config", "--name-only", "--get-regexp", r"^remote\..*\.promisor$")
        lines = found.out.decode(errors="surrogateescape").splitlines()
        return lines[0].removeprefix("remote.").removesuffix(".promisor") if lines else None

    def _missing(self, commit: str) -> set[str]:
        tree = f"{commit}^{{tree}}"
        listed = self.git.text("rev-list", "--objects", "--missing=print", tree)
        return {line[1:] for line in listed.splitlines() if line.startswith("?")}

    def _fetch_objects(self, server: str, wanted: set[str]) -> Captured:
        """Do what git itself does when it needs objects that a server has promised."""
        quiet = ("-c", "fetch.negotiationAlgorithm=noop", "-c", "fetch.writeCommitGraph=false")
        options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc")
        names = "".join(f"{oid}\n" for oid in sorted(wanted)).encode()
        return self.git.run(
            *quiet, "fetch", *options, "--filter=blob:none", "--stdin", server, stdin=names
        )

    def publish(self, source: Path, branch: str) -> str | None:
        """Fetch ``branch`` from the repository at ``source``; returns why it could not, or None.

        Not forced: commits that were added to the branch here are never thrown away.
        """
        if not branch.startswith(BRANCH_PREFIX):
            raise ValueError(f"{branch!r} is not a branch of director's")
        ref = f"refs/heads/{branch}"
        return self._fetch(source, f"{ref}:{ref}")

    def bring(self, source: Path, branch: str) -> str | None:
        """Fetch the objects of ``branch`` as ``publish`` does, but move no ref."""
        return self._fetch(source, f"refs/heads/{branch}")

    def _fetch(self, source: Path, refspec: str) -> str | None:
        options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", GIVING)
        git = self.git.with_settings(*TAKING)
        done = git.run("fetch", *options, str(source), refspec)
        if done.code == 0:
            return None
        said = done.err.decode(errors="replace").strip().splitlines()
        return said[-1].strip(" !") if said else f"git fetch failed with exit code {done.code}"


def _variables(who: str, ident: str) -> dict[str, str]:
    """Return the variables for ``who`` (AUTHOR, COMMITTER); ``ident``: "name <address> …"."""
    name, _, rest = ident.partition(" <")
    return {f"GIT_{who}_NAME": name, f"GIT_{who}_EMAIL": rest.partition(">")[0]}


def _is_plain(said: str) -> bool:
    """Whether git puts a name or an address into commits as it is: it leaves out some signs."""
    ends = said[:1].isalnum() and said[-1:].isalnum()
    return ends and said.isprintable() and "<" not in said and ">" not in said


def open_repository(path: Path, env: Mapping[str, str]) -> Repository:
    """Return the repository whose working tree holds ``path``; RequestError when there is none."""
    return _usual_repository(path, env) or _found_by_git(path, env)


def _usual_repository(path: Path, env: Mapping[str, str]) -> Repository | None:
    """Return the repository that is as ``git init`` makes it, or None: git has to be asked."""
    top = top_of_checkout(path)
    if top is None or "\n" in str(top) or not has_usual_format(top):
        return None
    if git_version(env) < LEAST_GIT:
        return None
    common = top / ".git"
    return Repository(Layout(top, common, common / "objects"), Git.at(top, env), env)


def _found_by_git(path: Path, env: Mapping[str, str]) -> Repository:
    here = Git.at(path, env)
    try:
        places = here.text(
            "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir",
            "--git-path", "objects", "--show-object-format",
        )  # fmt: skip
    except GitError as error:
        if "not a git repository" in error.message:
            raise RequestError(
                f"{path.resolve()} is not in a git repository",
                "run the command in one, or name one with --repo",
            ) from None
        raise RequestError(
            f"cannot use the repository at {path.resolve()}: {error.message.splitlines()[0]}",
            "director needs a git repository (git 2.31 or later) with a working tree",
        ) from None
    if places.count("\n") != 3:  # nor could an `alternates` file hold such a path
        raise RequestError(
            f"the path of the repository has a line break in it: {str(path.resolve())!r}",
            "rename that folder, or clone the repository to another",
        )
    root, common, objects, object_format = places.split("\n")
    layout = Layout(Path(root), Path(common), Path(objects), object_format)
    return Repository(layout, Git.at(layout.root, env), env)
