"""Which names look like keys, and texts without their values."""

from __future__ import annotations

import json
import unittest
from urllib.parse import quote

from director.model.secrets import (
    NOTHING_SECRET,
    Redactor,
    counts,
    literal_secrets,
    looks_secret,
    referenced_variables,
    secrets_in,
)

VALUE = "s3cr3t-value-of-acme"


class TestNames(unittest.TestCase):
    def test_what_looks_like_a_key(self) -> None:
        for name in (
            "ACME_API_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN", "GH_TOKEN_FILE", "NPM_AUTH",
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "CLIENT_SECRET",
            "DB_PASSWORD", "PGPASSWORD", "MYSQL_PWD", "FTP_PASS", "SSH_PASSPHRASE", "GITHUB_PAT",
            "GOOGLE_APPLICATION_CREDENTIALS", "APIKEY", "acme_api_key", "KEY", "TOKEN",
            "npm_config__authToken", "apiKey", "OPENCODE_CONFIG_CONTENT", "DEPLOY_KEYS",
        ):  # fmt: skip
            self.assertTrue(looks_secret(name), name)

    def test_what_does_not(self) -> None:
        for name in (
            "PATH", "HOME", "PWD", "OLDPWD", "SSH_AUTH_SOCK", "KEYBOARD", "XKB_KEYMAP", "MONKEY",
            "TOKENIZERS_PARALLELISM", "MAX_TOKENS", "LANG", "PASSENGER_COUNT", "COMPAT", "AUTHOR",
        ):  # fmt: skip
            self.assertFalse(looks_secret(name), name)


class TestSecretsIn(unittest.TestCase):
    def test_named_ones_and_those_that_look_like_keys(self) -> None:
        env = {"A_KEY": VALUE, "KEY_FILE": "/etc/key", "OTHER": "x", "PATH": "/bin"}
        found = secrets_in(env, "/etc/key".__eq__, ["OTHER"])
        self.assertEqual(found, {"A_KEY": VALUE, "OTHER": "x"})

    def test_literal_ones_in_settings(self) -> None:
        settings = {
            "provider": {
                "one": {"options": {"apiKey": VALUE, "baseURL": "http://x"}},
                "two": {"options": {"apiKey": "{env:TWO}", "headers": {"X-Token": 1}}},
            }
        }
        self.assertEqual(literal_secrets(settings), {"provider.one.options.apiKey": VALUE})
        self.assertEqual(referenced_variables("a {env:TWO} b {env:three}"), ["TWO", "three"])


class TestValues(unittest.TestCase):
    def test_short_and_ordinary_ones_do_not_count(self) -> None:
        for value in (
            "",
            "short",
            "1234567",
            "password",
            "Changeme",
            "20261121120000",
            "xxxxxxxxxx",
        ):
            self.assertFalse(counts(value), value)
        for value in (VALUE, "hunter2hunter2", "83746510283746510", "a b c d e f"):
            self.assertTrue(counts(value), value)


class TestRedactor(unittest.TestCase):
    def redactor(self, value: str = VALUE, name: str = "ACME_API_KEY") -> Redactor:
        return Redactor({name: value})

    def test_the_name_takes_the_place_of_the_value(self) -> None:
        said = self.redactor().text(f"key={VALUE}, again {VALUE}!")
        self.assertEqual(said, "key=[redacted ACME_API_KEY], again [redacted ACME_API_KEY]!")

    def test_bytes_that_are_no_text_stay(self) -> None:
        data = self.redactor().data(b"\xff" + VALUE.encode() + b"\xfe\x00")
        self.assertEqual(data, b"\xff[redacted ACME_API_KEY]\xfe\x00")

    def test_escaped_forms(self) -> None:
        value = "q\"uo\\te'd/é k&y"
        once = json.dumps(f"<{value}>")
        forms = (
            value, once, json.dumps(once), json.dumps(json.dumps(once)),
            json.dumps(value, ensure_ascii=False), repr(value), quote(value, safe=""),
        )  # fmt: skip
        redactor = self.redactor(value)
        for form in forms:
            said = redactor.text(f"a {form} b")
            self.assertIn("[redacted ACME_API_KEY]", said, form)
            self.assertNotIn("uo", said, form)

    def test_json_stays_json(self) -> None:
        value = 'with "quotes" and \\ in it'
        line = json.dumps({"type": "text", "text": f"it is {value}"})
        self.assertEqual(
            json.loads(self.redactor(value).text(line)),
            {"type": "text", "text": "it is [redacted ACME_API_KEY]"},
        )

    def test_a_value_of_several_lines_goes_line_by_line(self) -> None:
        lines = ("MIIEvQIBADANBgkqhkiG9w0", "BAQEFAASCBKcwggSjAgEAAo")
        value = "-----BEGIN KEY-----\n" + "\n".join(lines) + "\n-----END KEY-----\n"
        said = self.redactor(value, "SSH_KEY").text("  MIIEvQIBADANBgkqhkiG9w0\n")
        self.assertEqual(said, "  [redacted SSH_KEY]\n")
        self.assertEqual(self.redactor(value, "SSH_KEY").text(value), "[redacted SSH_KEY]\n")

    def test_a_value_within_another(self) -> None:
        redactor = Redactor({"LONG_KEY": f"{VALUE}-and-more", "SHORT_KEY": VALUE})
        said = redactor.text(f"{VALUE}-and-more {VALUE}")
        self.assertEqual(said, "[redacted LONG_KEY] [redacted SHORT_KEY]")

    def test_json_values(self) -> None:
        redactor = self.redactor()
        given = {VALUE: [VALUE, 1, None, True], "b": {"c": (1.5, f"x{VALUE}")}}
        mark = "[redacted ACME_API_KEY]"
        self.assertEqual(
            redactor.value(given), {mark: [mark, 1, None, True], "b": {"c": [1.5, f"x{mark}"]}}
        )

    def test_more_secrets(self) -> None:
        both = self.redactor().also({"local.api_key": "another-value"})
        self.assertEqual(
            both.text(f"{VALUE} another-value"), "[redacted ACME_API_KEY] [redacted local.api_key]"
        )

    def test_nothing_to_hide(self) -> None:
        self.assertEqual(NOTHING_SECRET.text("text"), "text")
        self.assertEqual(NOTHING_SECRET.data(b"data"), b"data")
        self.assertEqual(Redactor({"A_KEY": "short"}).text("short"), "short")
