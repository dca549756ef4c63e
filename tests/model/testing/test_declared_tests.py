"""The tests a file holds are counted low rather than high."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

from director.model.testing.declared_tests import declared_tests

CASES = """\
import unittest
from unittest import mock


class TestA(unittest.TestCase):
    def setUp(self): ...
    def test_a(self): ...
    async def test_b(self): ...
    @mock.patch("x.y")
    def test_c(self, y): ...
    @unittest.skip("later")
    def test_skipped(self): ...
    @unknown
    def test_unknown(self): ...
    def helper(self): ...


class Inherits(TestA):
    def test_d(self): ...


class Other(Base):
    def test_e(self): ...
"""
FUNCTIONS = """\
import pytest

def test_a(): ...

@pytest.mark.parametrize("x", [1, 2])
def test_b(x): ...

@pytest.mark.skipif(True, reason="")
def test_c(): ...

@pytest.mark.slow
def test_d(): ...

@pytest.fixture
def test_data(): ...

def helper(): ...

if True:
    def test_e(): ...

class TestX:
    def test_f(self): ...

class Plain:
    def test_g(self): ...

class TestWithInit:
    def __init__(self): ...
    def test_h(self): ...
"""
GO = """\
package slug

func TestMainPage(t *testing.T) {}
func Test(t *testing.T) {}
func Testify(t *testing.T) {}
func TestHelper(t *testing.T, x int) {}
func BenchmarkA(b *testing.B) {}
// func TestOld(t *testing.T) {}
"""
RUST = """\
use slug::slug;

#[test]
fn one() {}

#[test]
#[should_panic]
fn two() {}

fn helper() {}
// #[test]
"""
JAVASCRIPT = """\
import { test } from 'node:test';

test('one', () => {});
it("two", async () => {
  test('nested', () => {});
});
describe('group', () => {
  beforeEach(() => {});
  it('three', () => {});
  it.skip('four', () => {});
  describe('inner', () => {
    it('five', () => {});
  });
});
test.each([1])('six', () => {});
function make() {
  it('seven', () => {});
}
// test('eight', () => {});
for (const x of []) {
  test(x, () => {});
}
"""


class TestDeclaredTests(unittest.TestCase):
    def count(self, path: str, text: str, runner: str, expected: int) -> None:
        with self.subTest(path=path, runner=runner, text=text):
            self.assertEqual(declared_tests(path, text, runner), expected)

    def test_each_language(self) -> None:
        self.count("tests/test_a.py", CASES, "unittest", 3)
        self.count("tests/test_a.py", CASES, "pytest", 3)
        self.count("tests/test_a.py", FUNCTIONS, "unittest", 0)
        self.count("tests/test_a.py", FUNCTIONS, "pytest", 3)
        self.count("slug/slug_test.go", GO, "go", 2)
        self.count("tests/slug.rs", RUST, "cargo", 2)
        for runner in ("jest", "vitest", "mocha", "node"):
            self.count("tests/a.test.js", JAVASCRIPT, runner, 3)

    def test_files_that_the_runner_may_pass_over(self) -> None:
        self.count("tests/helpers.py", FUNCTIONS, "pytest", 0)
        self.count("tests/common/mod.rs", RUST, "cargo", 0)
        self.count("tests/helpers.js", JAVASCRIPT, "jest", 0)
        self.count("tests/a.sh", "test_a() { :; }\n", "bats", 0)

    def test_doubts_count_as_none(self) -> None:
        for more in (
            "def load_tests(*_): ...",
            "pytest.skip('no', allow_module_level=True)",
            "pytest.importorskip('numpy')",
            "raise unittest.SkipTest('no')",
            "try:\n    import x\nexcept ImportError:\n    raise unittest.SkipTest",
            "pytestmark = pytest.mark.slow",
            "del TestA",
            "def setUpModule(): ...",
            "this is no Python",
        ):
            self.count("tests/test_a.py", CASES + more + "\n", "unittest", 0)
        self.count("tests/test_a.py", CASES + "TestA = None\n", "unittest", 0)
        for more in ("__test__ = False", "def setUpClass(cls): ...", "test_a = test_b = None"):
            text = CASES.replace("def setUp(self): ...", more)
            self.count("tests/test_a.py", text, "unittest", 1 if "test_a" in more else 0)
        twice = "def test_a(): ...\n\ndef test_a(): ...\n"
        self.count("tests/test_a.py", twice, "pytest", 0)
        self.count("a_test.go", f"//go:build linux\n{GO}", "go", 0)
        self.count("a_test.go", f"{GO}func TestMain(m *testing.M) {{}}\n", "go", 0)
        self.count("tests/a.rs", f"#![cfg(unix)]\n{RUST}", "cargo", 0)
        self.count("tests/a.test.js", JAVASCRIPT.replace("'one'", "`one"), "jest", 0)
        self.count("tests/a.test.js", f"{JAVASCRIPT}test.only('x');\n", "jest", 0)
        self.count("tests/a.test.js", f"/*\n{JAVASCRIPT}*/\n", "jest", 0)

    def test_the_count_is_never_more_than_this_very_file_holds(self) -> None:
        loaded = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
        declared = declared_tests("test_x.py", Path(__file__).read_text(), "unittest")
        self.assertEqual(declared, loaded.countTestCases())
