"""The header of an agent file is read exactly, or refused with its line."""

import unittest

from director.agents.frontmatter import FrontmatterError, split_frontmatter


def header(*lines: str) -> dict[str, object]:
    return dict(split_frontmatter("\n".join(["---", *lines, "---", "prompt"]))[0])


class TestSplit(unittest.TestCase):
    def test_header_and_prompt(self) -> None:
        text = "---\nmode: primary\n---\n\nDo it.\n\n---\n\nmore\n"
        self.assertEqual(split_frontmatter(text), ({"mode": "primary"}, "Do it.\n\n---\n\nmore"))

    def test_a_text_without_a_header_is_all_prompt(self) -> None:
        self.assertEqual(split_frontmatter("Do it.\n"), ({}, "Do it."))
        self.assertEqual(split_frontmatter(""), ({}, ""))

    def test_windows_line_ends(self) -> None:
        self.assertEqual(split_frontmatter("---\r\na: 1\r\n---\r\np\r\n"), ({"a": 1}, "p"))

    def test_a_header_that_is_not_closed(self) -> None:
        with self.assertRaisesRegex(FrontmatterError, "line 1"):
            split_frontmatter("---\na: 1\n")


class TestValues(unittest.TestCase):
    def test_an_escape_that_is_none(self) -> None:
        for line in ('a: "\\q"', 'a: "x\ty"'):
            with self.assertRaisesRegex(FrontmatterError, "line 2"):
                header(line)

    def test_scalars(self) -> None:
        self.assertEqual(
            header("a: text with spaces", "b: 3", "c: 0.5", "d: true", "e: false", "f: p/m:x"),
            {"a": "text with spaces", "b": 3, "c": 0.5, "d": True, "e": False, "f": "p/m:x"},
        )
        self.assertIs(header("a: true")["a"], True)

    def test_quotes_and_comments(self) -> None:
        self.assertEqual(
            header('a: "x: # y\\n"', "b: 'it''s' # note", "c: text # note", "# whole line", ""),
            {"a": "x: # y\n", "b": "it's", "c": "text"},
        )
        self.assertEqual(header("a: b#c")["a"], "b#c")

    def test_nested_maps_by_indentation_in_their_order(self) -> None:
        found = header(
            "permission:",
            '  "*": deny',
            "  bash: # of commands",
            '    "git push*": deny',
            "    'npm *': allow",
            "  read: allow",
            "mode: primary",
        )
        expected = {
            "permission": {
                "*": "deny",
                "bash": {"git push*": "deny", "npm *": "allow"},
                "read": "allow",
            },
            "mode": "primary",
        }
        self.assertEqual(found, expected)
        permission = found["permission"]
        assert isinstance(permission, dict)
        self.assertEqual(list(permission), ["*", "bash", "read"])

    def test_more_yaml_than_is_read_is_refused_with_its_line(self) -> None:
        for line in ("a: [1, 2]", "a: {b: 1}", "a: |", "a: >", "a: &x y", "- item", "a", '"a: b'):
            with self.subTest(line), self.assertRaisesRegex(FrontmatterError, "line 3"):
                header("first: 1", line)
        with self.assertRaisesRegex(FrontmatterError, "line 2: the quote"):
            header('a: "open')
