"""The commits that director puts on the job branch, as the user wants them made (``[git]``)."""

from collections.abc import Sequence
from typing import NamedTuple

from director.job.receipts import changed_files, merge_trailers
from director.job.trailers import TESTS, commit_message, single_line
from director.model.commit_policy import NO_TYPE, CommitPolicy
from director.model.plan import Node
from director.model.receipt import Receipt
from director.repositories.job_repository import JobRepository
from director.repositories.signing import Signer

TYPE_OF_TESTS = "test"


class Commits(NamedTuple):
    """Makes the commits of one job. ``task`` is its task; ``signer`` None: they are not signed."""

    job: JobRepository
    job_id: str
    task: str
    policy: CommitPolicy
    signer: Signer | None

    def merge(self, node: Node, receipt: Receipt) -> Receipt:
        """Write the commit that ``receipt`` describes; returns it with its id and files."""
        text = self._text(node.title, node.id, node.type or NO_TYPE)
        message = commit_message(text, merge_trailers(receipt), self._signed_off())
        merged = self._commit(receipt.tree, receipt.parent, message)
        files = changed_files(self.job, receipt.parent, merged)
        return receipt._replace(merged=merged, files=files)

    def tests(self, title: str, node_ids: Sequence[str], tree: str, parent: str) -> str:
        """Write and return a commit of tests of nodes on ``parent``."""
        trailers = {"Job": self.job_id, "Node": tuple(node_ids), "Kind": TESTS}
        text = self._text(title, ", ".join(node_ids), TYPE_OF_TESTS)
        return self._commit(tree, parent, commit_message(text, trailers, self._signed_off()))

    def merge_again(self, receipt: Receipt) -> Receipt:
        """Write the commit that ``receipt`` describes, in the words of the one that it carries.

        Returns it with its id and files.
        """
        text = self._message(receipt.rebased).strip().rpartition("\n\n")[0]
        message = commit_message(text, merge_trailers(receipt), self._signed_off())
        merged = self._commit(receipt.tree, receipt.parent, message)
        files = changed_files(self.job, receipt.parent, merged)
        return receipt._replace(merged=merged, files=files)

    def tests_again(self, commit: str, tree: str, parent: str) -> str:
        """Write and return a commit of tests on ``parent`` in the words of another one."""
        return self._commit(tree, parent, self._message(commit))

    def _message(self, commit: str) -> str:
        whole = self.job.objects.get(commit).data.decode(errors="replace")
        return whole.partition("\n\n")[2]

    def try_out(self) -> None:
        """Raise SigningError where commits are to be signed and cannot be."""
        if self.signer:
            tip = self.job.tip()
            self._commit(self.job.tree(tip), tip, "Whether commits can be signed\n")

    def _text(self, title: str, node: str, kind: str) -> str:
        task = next((line for line in self.task.splitlines() if line.strip()), "")
        values = {"title": title, "node": node, "task": task, "type": kind}
        return self.policy.text({name: single_line(value) for name, value in values.items()})

    def _signed_off(self) -> str:
        return signed_off(self.job, self.policy)

    def _commit(self, tree: str, parent: str, message: str) -> str:
        if self.signer:
            return self.signer.commit(self.job.git, tree, parent, message)
        return self.job.commit(tree, parent, message)


def signed_off(job: JobRepository, policy: CommitPolicy) -> str:
    """Return who signs the job's commits off; "" where that is not asked for."""
    if not policy.signoff:
        return ""
    who = job.user.identity()
    return f"{who['GIT_COMMITTER_NAME']} <{who['GIT_COMMITTER_EMAIL']}>"


def signer_of(job: JobRepository, policy: CommitPolicy) -> Signer | None:
    """Return what signs the job's commits; None where they are not signed."""
    settings = job.user.settings
    return Signer(settings.everywhere if settings else {}) if policy.sign else None
