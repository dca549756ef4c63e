"""Lines survive crashes: appended whole, read past whatever else is in the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from director.records import files, json_lines
from tests.support.hermetic import HermeticCase

ROOT = Path(__file__).resolve().parents[2]
ODD = "ü \u2028 \u0085 \x1e \r\n tail"


class TestLines(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "new" / "f.jsonl"

    def append(self, *values: object, durable: bool = True) -> None:
        for value in values:
            json_lines.append_line(self.path, {"v": value}, durable=durable)

    def read(self) -> list[object]:
        found = json_lines.read_lines(self.path)
        self.assertEqual([*json_lines.each_line(self.path)], found)
        return [line["v"] for line in found]

    def test_lines_come_back_in_order(self) -> None:
        self.append(1, "zwei", durable=False)
        self.append([3])
        self.assertEqual(self.read(), [1, "zwei", [3]])
        self.assertEqual(self.path.read_bytes().count(b"\n"), 3)
        self.assertEqual(json_lines.read_lines_counted(self.path)[1], 0)

    def test_no_text_breaks_a_line(self) -> None:
        name = os.fsdecode(b"\xff.py")
        self.append(ODD, name, "last")
        self.assertEqual(self.read(), [ODD, name, "last"])
        self.assertEqual(len(self.path.read_bytes().split(b"\n")), 4)
        self.assertEqual(json_lines.read_lines_counted(self.path)[1], 0)

    def test_a_torn_last_line_damages_nothing_after_it(self) -> None:
        whole = json.dumps({"v": "ünü"}, ensure_ascii=False).encode()
        for cut in range(1, len(whole)):
            with self.subTest(cut=cut):
                self.path.unlink(missing_ok=True)
                self.append("before")
                with self.path.open("ab") as stream:
                    stream.write(whole[:cut])
                self.assertEqual(self.read(), ["before"])
                self.append("after")
                self.assertEqual(self.read(), ["before", "after"])
                self.assertEqual(json_lines.read_lines_counted(self.path)[1], 1)

    def test_a_line_that_lost_only_its_end_is_kept(self) -> None:
        self.append(1)
        self.path.write_bytes(self.path.read_bytes().rstrip(b"\n"))
        self.append(2)
        self.assertEqual(self.read(), [1, 2])

    def test_what_is_no_object_is_counted_and_skipped(self) -> None:
        self.append(1)
        with self.path.open("a") as stream:
            stream.write("\n[1]\nnull\nwords\n   \n")
        self.append(2)
        self.assertEqual(self.read(), [1, 2])
        self.assertEqual(json_lines.read_lines_counted(self.path)[1], 3)

    def test_a_line_that_the_system_takes_in_pieces_is_whole(self) -> None:
        taken = bytearray()

        def write(data: memoryview) -> int:
            taken.extend(data[:3])
            return min(3, len(data))

        files.write_whole(write, b"a line in pieces\n")
        self.assertEqual(taken, b"a line in pieces\n")

    def test_a_line_that_does_not_fit_is_an_error_and_damages_nothing_after_it(self) -> None:
        self.append("before")
        script = "\n".join(
            (
                "import resource, sys",
                "from pathlib import Path",
                "from director.model.errors import StoppedError",
                "from director.records import json_lines",
                "resource.setrlimit(resource.RLIMIT_FSIZE, (30, resource.RLIM_INFINITY))",
                "try:",
                "    json_lines.append_line(Path(sys.argv[1]), {'v': 'x' * 50}, durable=True)",
                "except StoppedError as error:",
                "    print(error)",
            )
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(self.path)],
            cwd=ROOT, env=self.env, capture_output=True, text=True,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        self.assertIn(f"cannot write {self.path}: File too large", done.stdout)
        self.assertEqual(self.path.stat().st_size, 30)
        self.append("after")
        self.assertEqual(self.read(), ["before", "after"])
        self.assertEqual(json_lines.read_lines_counted(self.path)[1], 1)

    def test_many_writers_lose_nothing(self) -> None:
        def write(writer: int) -> None:
            for number in range(50):
                json_lines.append_line(self.path, {"v": [writer, number]}, durable=False)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = [[writer, number] for writer in range(4) for number in range(50)]
        self.assertCountEqual(self.read(), expected)
