"""Scripted models answer as providers do. With it: ``demo.loopback``."""

import http.client
import json
import time
import unittest
from collections.abc import Sequence
from typing import Any

from director.demo.model_server import ModelServer, Script, read_request, unquoted
from director.demo.turns import Cut, Fault, Say, Silence, Turn, shell, write

CONVERSATION: tuple[Turn, ...] = (shell("make test"), write("a.py", "A = 1\n"), Say("Done."))
ANSWER = {"role": "assistant", "content": ""}
RESULT = {"role": "tool", "content": "ok"}


def always(*conversation: Turn) -> Script:
    return lambda _model, _prompt: conversation


def body_of(*after: dict[str, Any], prompt: object = "# Implement", **more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "You are."}, {"role": "user", "content": prompt}]
    return {"model": "executor", "messages": [*messages, *after], "stream": True, **more}


class Serving(unittest.TestCase):
    def serve(self, script: Script) -> ModelServer:
        server = ModelServer(script)
        server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        return server

    def post(self, server: ModelServer, body: object) -> http.client.HTTPResponse:
        host = server.base_url.removeprefix("http://").removesuffix("/v1")
        connection = http.client.HTTPConnection(host, timeout=10)
        self.addCleanup(connection.close)
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        return connection.getresponse()

    def chunks(self, server: ModelServer, body: object) -> list[Any]:
        text = self.post(server, body).read().decode()
        lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]


class Conversations(Serving):
    def test_the_turn_is_the_number_of_answers_since_the_prompt(self) -> None:
        server = self.serve(always(*CONVERSATION))
        said = []
        for turns in range(4):
            first, *_ = self.chunks(server, body_of(*[ANSWER, RESULT] * turns))
            delta = first["choices"][0]["delta"]
            calls = delta.get("tool_calls", [])
            said += [call["function"]["name"] for call in calls] or [delta["content"]]
        self.assertEqual(said, ["bash", "write", "Done.", "Done."])

    def test_an_earlier_conversation_does_not_count(self) -> None:
        more = [ANSWER, RESULT, {"role": "user", "content": "# Review"}, ANSWER]
        request = read_request(body_of(*more))
        self.assertEqual((request.prompt, request.turn), ("# Review", 1))

    def test_arguments_are_json_in_a_string(self) -> None:
        first, *_ = self.chunks(self.serve(always(write("ü.py", '"\n'))), body_of())
        function = first["choices"][0]["delta"]["tool_calls"][0]["function"]
        given = json.loads(function["arguments"])
        self.assertEqual(given, {"filePath": "ü.py", "content": '"\n'})

    def test_the_last_chunk_has_reason_and_usage(self) -> None:
        server = self.serve(always(*CONVERSATION))
        *_, first, done = self.chunks(server, body_of())
        *_, second, _done = self.chunks(server, body_of(ANSWER, RESULT))
        self.assertEqual((first["choices"][0]["finish_reason"], done), ("tool_calls", "[DONE]"))
        self.assertEqual(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0)
        cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
        self.assertTrue(0 < cached < second["usage"]["prompt_tokens"])
        self.assertGreater(second["usage"]["completion_tokens"], 0)

    def test_the_script_is_asked_with_model_and_prompt(self) -> None:
        def script(model: str, prompt: str) -> Sequence[Turn]:
            return [Say(f"{model}: {prompt}")]

        parts = [{"type": "text", "text": '"# Plan'}, {"type": "text", "text": 'it"\n'}]
        server = self.serve(script)
        first, *_ = self.chunks(server, body_of(prompt=parts))
        self.assertEqual(first["choices"][0]["delta"]["content"], "executor: # Plan\nit")
        (kept,) = server.requests
        self.assertEqual((kept.model, kept.turn), ("executor", 0))
        self.assertEqual(kept.body["messages"][0]["content"], "You are.")

    def test_an_answer_need_not_be_streamed(self) -> None:
        server = self.serve(always(Say("Whole.")))
        answer = json.loads(self.post(server, body_of(stream=False)).read())
        self.assertEqual(answer["choices"][0]["message"]["content"], "Whole.")

    def test_titles_are_made_without_the_script(self) -> None:
        def script(model: str, prompt: str) -> Sequence[Turn]:
            raise AssertionError("asked")

        body = body_of() | {
            "messages": [{"role": "system", "content": "You are a title generator"}]
        }
        first, *_ = self.chunks(self.serve(script), body)
        self.assertIn("content", first["choices"][0]["delta"])


class Faults(Serving):
    def test_a_fault_is_an_http_status(self) -> None:
        fault = Fault(429, '{"error": {"message": "slow down"}}', {"retry-after": "3"})
        response = self.post(self.serve(always(fault)), body_of())
        self.assertEqual((response.status, response.getheader("retry-after")), (429, "3"))
        self.assertEqual(json.loads(response.read())["error"]["message"], "slow down")

    def test_a_cut_stream_has_no_end(self) -> None:
        (only,) = self.chunks(self.serve(always(Cut("I wi"))), body_of())
        self.assertEqual(only["choices"][0]["delta"]["content"], "I wi")
        self.assertIsNone(only["choices"][0]["finish_reason"])

    def test_silence_ends_with_the_server(self) -> None:
        server = self.serve(always(Silence(60)))
        host = server.base_url.removeprefix("http://").removesuffix("/v1")
        connection = http.client.HTTPConnection(host, timeout=10)
        self.addCleanup(connection.close)
        connection.request("POST", "/v1/chat/completions", json.dumps(body_of()))
        while not server.requests:
            time.sleep(0.01)
        server.stopping.set()
        with self.assertRaises(http.client.RemoteDisconnected):
            connection.getresponse()

    def test_what_is_no_request_is_refused(self) -> None:
        self.assertEqual(self.post(self.serve(always()), ["x"]).status, 400)

    def test_an_empty_script_says_so(self) -> None:
        first, *_ = self.chunks(self.serve(always()), body_of())
        self.assertTrue(first["choices"][0]["delta"]["content"])


class Prompts(unittest.TestCase):
    def test_quotes_and_white_space_around_are_no_part_of_it(self) -> None:
        for given in ("# Plan", ' "# Plan"\n', "'# Plan\n'", "\n# Plan\n"):
            self.assertEqual(unquoted(given), "# Plan")
        self.assertEqual(unquoted('"'), '"')
        self.assertEqual(unquoted('say "a"'), 'say "a"')
