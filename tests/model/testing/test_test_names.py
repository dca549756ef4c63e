"""Which tests of a file are gone from its next version."""

from __future__ import annotations

import unittest

from director.model.testing.test_names import lost_tests

FILES = {
    "unittest": ("class A(TestCase):\n    def test_a(self):\n        pass\n", "test_a"),
    "pytest": ("import pytest\n\nasync def test_a(tmp_path):\n    assert 1\n", "test_a"),
    "go": ("package a\n\nfunc TestA(t *testing.T) {\n}\n", "TestA"),
    "rust": ("#[test]\n#[should_panic]\nfn a() {\n}\n", "a"),
    "tokio": ("    #[tokio::test]\n    async fn a() {\n}\n", "a"),
    "jest": ("it('adds \\'one\\'', () => {\n});\n", "adds \\'one\\'"),
    "node": ('test("adds", () => {\n});\n', "adds"),
    "rspec": ('  it "adds" do\n  end\n', "adds"),
    "junit": ("    @Test\n    public void adds() {\n    }\n", "adds"),
    "phpunit": ("    public function testAdds(): void\n    {\n    }\n", "testAdds"),
    "bats": ('@test "adds" {\n}\n', "adds"),
}


class TestLostTests(unittest.TestCase):
    def test_a_file_that_is_extended_has_lost_none(self) -> None:
        for kind, (text, _name) in FILES.items():
            with self.subTest(kind):
                self.assertEqual(lost_tests(text, f"# more\n{text}\n# and more\n"), [])

    def test_a_test_that_is_gone_is_named(self) -> None:
        for kind, (text, name) in FILES.items():
            with self.subTest(kind):
                self.assertEqual(lost_tests(text, "# nothing is left\n"), [name])

    def test_other_lines_may_change(self) -> None:
        before = "from a import a\n\ndef test_a():\n    assert a()\n"
        after = (
            "from a import a, b\n\ndef test_a():\n    assert a()\n\ndef test_b():\n    assert b()\n"
        )
        self.assertEqual(lost_tests(before, after), [])

    def test_without_names_every_line_counts(self) -> None:
        before = "test -e a.txt || exit 1\n\ngrep -q a a.txt\n"
        self.assertEqual(lost_tests(before, f"{before}grep -q b b.txt\n"), [])
        self.assertEqual(lost_tests(before, "grep -q a a.txt\n"), ["test -e a.txt || exit 1"])
