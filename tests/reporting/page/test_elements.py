"""HTML as values: no text becomes markup, and none keeps a secret."""

from __future__ import annotations

import unittest

from director.model.secrets import NOTHING_SECRET, Redactor
from director.reporting.page.elements import Raw, tag, written


class TestElements(unittest.TestCase):
    def html(self, *children: str, redactor: Redactor = NOTHING_SECRET) -> str:
        return written(tag("p", *children), redactor)

    def test_text_and_attributes_are_escaped(self) -> None:
        made = tag("p", "<b> & \"q\" 'r'", title="\"><script>'&")
        self.assertEqual(
            written(made, NOTHING_SECRET),
            '<p title="&quot;&gt;&lt;script&gt;&#x27;&amp;">'
            "&lt;b&gt; &amp; &quot;q&quot; &#x27;r&#x27;</p>",
        )

    def test_what_steers_a_terminal_or_reverses_text_is_spelled_out(self) -> None:
        self.assertEqual(self.html("a\x1b[31mb\x00\u202ec\ud800"), r"<p>ab\x00\u202ec\ud800</p>")

    def test_secrets_are_replaced_before_they_are_escaped(self) -> None:
        redactor = Redactor({"API_KEY": "s&cret<value>1"})
        self.assertEqual(self.html("x s&cret<value>1", redactor=redactor),
                         "<p>x [redacted API_KEY]</p>")  # fmt: skip
        made = tag("p", title="s&cret<value>1")
        self.assertNotIn("cret", written(made, redactor))

    def test_names_of_attributes(self) -> None:
        made = tag("svg", class_="c", aria_label="l", viewBox="0", hidden=True, id=None, open=False)
        self.assertEqual(
            written(made, NOTHING_SECRET),
            '<svg class="c" aria-label="l" viewBox="0" hidden></svg>',
        )

    def test_children_that_are_missing_or_in_a_list(self) -> None:
        made = tag("ul", None, [tag("li", "1"), "2"], (one for one in "3"), tag("br"))
        self.assertEqual(written(made, NOTHING_SECRET), "<ul><li>1</li>23<br></ul>")

    def test_a_script_that_could_end_its_element_is_refused(self) -> None:
        for text in ("x </script>", "<!-- x"):
            with self.assertRaises(ValueError):
                written(tag("script", Raw(text)), NOTHING_SECRET)
