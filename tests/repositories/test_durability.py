"""Files are waited for wherever they are, and those that are not there are no matter."""

from director.repositories.durability import sync_files
from tests.support.hermetic import TemporaryCase


class TestSync(TemporaryCase):
    def test_files_that_are_there_and_that_are_not(self) -> None:
        paths = [self.tmp / name for name in ("one", "two", "none")]
        for path in paths[:2]:
            path.write_text("x")
        sync_files(paths)
        sync_files(reversed(paths))
        sync_files([])
