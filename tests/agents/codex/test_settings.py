"""What Codex is told on its command line."""

from __future__ import annotations

import tomllib
import unittest
from typing import Any

from director.agents.codex.settings import ALWAYS, OFFLINE, overrides, provider


class TestSettings(unittest.TestCase):
    def test_each_setting_is_a_word_that_toml_reads_back(self) -> None:
        settings = {**ALWAYS, **OFFLINE, "model_instructions_file": '/a "b"/ö/\U0001f600 c\\d'}
        self.assertEqual(_read(settings), settings)

    def test_a_provider_has_a_key_a_login_or_neither(self) -> None:
        tables = [_table("", key) for key in ("KEY", None, "")]
        self.assertEqual([one.get("env_key") for one in tables], ["KEY", None, None])
        logins = [one.get("requires_openai_auth", False) for one in tables]
        self.assertEqual(logins, [False, True, False])

    def test_openais_own_address_is_left_to_codex(self) -> None:
        self.assertNotIn("base_url", _table("", "KEY"))
        self.assertEqual(_table("http://x/v1", "KEY")["base_url"], "http://x/v1")

    def test_a_silent_stream_is_given_up_in_milliseconds(self) -> None:
        self.assertEqual(_table("", "KEY")["stream_idle_timeout_ms"], 1500)


def _table(base_url: str, env_key: str | None) -> dict[str, Any]:
    settings = provider(base_url, env_key, idle_secs=1.5)
    found: dict[str, Any] = settings["model_providers"][settings["model_provider"]]
    return found


def _read(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings as a TOML reader understands the words of the command line."""
    words = list(overrides(settings))
    assert words[::2] == ["-c"] * len(settings)
    return tomllib.loads("\n".join(words[1::2]))
