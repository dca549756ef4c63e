"""What is quoted in a prompt cannot break out of its quotation."""

import unittest

from director.agents.markdown import bullets, fenced


class TestMarkdown(unittest.TestCase):
    def test_bullets(self) -> None:
        self.assertEqual(bullets(["a", "b"]), "- a\n- b")
        self.assertEqual(bullets([]), "")

    def test_a_fence_is_longer_than_any_inside(self) -> None:
        self.assertEqual(fenced("x = 1\n\n", "python"), "```python\nx = 1\n```")
        for inside in ("```\nevil\n```", "`````", "a ```` b"):
            first, *middle, last = fenced(inside).splitlines()
            self.assertEqual("\n".join(middle), inside)
            self.assertEqual(first, last)
            self.assertNotIn(first, inside)
