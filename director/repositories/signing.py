"""Signing commits as the user's git does: with gpg, an ssh key or a certificate.

git itself makes the signed commit (``git commit-tree -S``); director only names what the user's
configuration says of signing, which the job repository does not have.
"""

from __future__ import annotations

from collections.abc import Mapping

from director.model.errors import StoppedError
from director.model.patterns import lazy_pattern
from director.repositories.git import Git

# git-config(1): which key, which program; also of the repository's own configuration.
SETTINGS = lazy_pattern(r"user\.signingkey|gpg\.(?:format|program|(?:openpgp|x509|ssh)\..*)")


class SigningError(StoppedError):
    """git could not sign: the key, or the program that signs, was not found."""

    def __init__(self, said: str) -> None:
        super().__init__(
            f"git cannot sign the job's commits ([git] sign): {said}",
            "check that `git commit -S` works here (user.signingkey, gpg.format, an agent that has "
            "the key), or set `sign = false`; then run the command again",
        )


class Signer:
    """Makes signed commits. ``everywhere``: what git knows from all configurations, by key."""

    def __init__(self, everywhere: Mapping[str, str]) -> None:
        self._settings = tuple(
            f"{key}={value}" for key, value in everywhere.items() if SETTINGS.fullmatch(key)
        )

    def commit(self, git: Git, tree: str, parent: str, message: str, *merged: str) -> str:
        """Write and return a signed commit, as ``JobObjects.commit`` does an unsigned one.

        ``git`` knows who commits. Raises SigningError.
        """
        signing = git.with_settings(*self._settings, "i18n.commitEncoding=UTF-8")
        parents = (word for one in (parent, *merged) for word in ("-p", one))
        argv = ("commit-tree", "-S", tree, *parents, "-F", "-")
        done = signing.run(*argv, stdin=message.encode())
        if done.code != 0:
            raise SigningError(_told(done.err.decode(errors="replace")))
        return done.out.decode().strip()


def _told(err: str) -> str:
    """Return in one line why it could not be signed; the last line says only that."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    telling = [line for line in lines if "failed to write commit object" not in line]
    return "; ".join((telling or lines or ["no message"])[-2:])
