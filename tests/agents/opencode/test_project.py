"""How models are reached comes from the checkout, and nothing else of it."""

from director.agents.opencode.project import (
    deep_merge,
    inherited_settings,
    model_settings,
)
from director.model.errors import RequestError
from tests.support.hermetic import TemporaryCase


class TestModelSettings(TemporaryCase):
    def write(self, name: str, text: str) -> None:
        path = self.tmp / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def test_nothing_there(self) -> None:
        self.assertEqual(model_settings(self.tmp), {})

    def test_only_what_concerns_models(self) -> None:
        self.write("opencode.json", '{"model": "p/m", "instructions": ["x"], "plugin": ["y"]}')
        self.assertEqual(model_settings(self.tmp), {"model": "p/m"})

    def test_later_files_win_map_by_map(self) -> None:
        self.write(
            "opencode.json", '{"model": "a/b", "provider": {"p": {"name": "P", "npm": "n"}}}'
        )
        self.write(".opencode/opencode.json", '{"provider": {"p": {"name": "Q"}, "r": {}}}')
        self.assertEqual(
            model_settings(self.tmp),
            {"model": "a/b", "provider": {"p": {"name": "Q", "npm": "n"}, "r": {}}},
        )

    def test_comments_and_trailing_commas(self) -> None:
        self.write(
            "opencode.jsonc",
            '// head\n{"model": "a//b", /* { */ "small_model": "/*x*/ , ]", // tail\n'
            '"enabled_providers": ["p", ], "provider": {"u": "http://x", },}\n',
        )
        self.assertEqual(
            model_settings(self.tmp),
            {
                "model": "a//b",
                "small_model": "/*x*/ , ]",
                "enabled_providers": ["p"],
                "provider": {"u": "http://x"},
            },
        )

    def test_files_named_in_it_are_found_from_anywhere(self) -> None:
        self.write(
            ".opencode/opencode.json",
            '{"provider": {"a": "{file:./key}", "b": "{file:sub/key}", "c": "{file:/etc/key}",'
            ' "d": "{file:~/key}", "e": "{env:KEY}"}}',
        )
        folder = self.tmp / ".opencode"
        self.assertEqual(
            model_settings(self.tmp)["provider"],
            {
                "a": f"{{file:{folder}/key}}",
                "b": f"{{file:{folder}/sub/key}}",
                "c": "{file:/etc/key}",
                "d": "{file:~/key}",
                "e": "{env:KEY}",
            },
        )

    def test_what_cannot_be_read_is_named(self) -> None:
        for text in ("{", "[]", '{"a" 1}'):
            self.write("opencode.json", text)
            with self.assertRaisesRegex(RequestError, "opencode.json"):
                model_settings(self.tmp)


class TestInherited(TemporaryCase):
    def test_inline_configuration_of_the_caller(self) -> None:
        self.assertEqual(inherited_settings({}), {})
        self.assertEqual(inherited_settings({"OPENCODE_CONFIG_CONTENT": " "}), {})
        env = {"OPENCODE_CONFIG_CONTENT": '{"provider": {"p": {}},}'}
        self.assertEqual(inherited_settings(env), {"provider": {"p": {}}})
        with self.assertRaisesRegex(RequestError, "OPENCODE_CONFIG_CONTENT"):
            inherited_settings({"OPENCODE_CONFIG_CONTENT": "{"})


class TestDeepMerge(TemporaryCase):
    def test_maps_merge_and_everything_else_is_replaced(self) -> None:
        base = {"a": {"x": 1, "y": [1]}, "b": {"z": 1}, "c": 1}
        over = {"a": {"y": [2]}, "b": 2, "c": {"n": 1}, "d": 3}
        merged = deep_merge(base, over)
        self.assertEqual(merged, {"a": {"x": 1, "y": [2]}, "b": 2, "c": {"n": 1}, "d": 3})
        self.assertEqual(base, {"a": {"x": 1, "y": [1]}, "b": {"z": 1}, "c": 1})
