"""The page that is served: to its user only, to be read only, and no more than has changed."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import unittest
from typing import Any

from director.model.errors import RequestError
from director.model.secrets import NOTHING_SECRET
from director.reporting.page.page import Page
from director.reporting.page.serving import PageServer, Watched
from tests.reporting.page.pages import example, page


class Job:
    """A job whose records a test changes."""

    def __init__(self) -> None:
        self.page: Page | RequestError = example()
        self.stamp = 0
        self.reads = 0

    def read(self) -> Page:
        self.reads += 1
        if isinstance(self.page, RequestError):
            raise self.page
        return self.page

    def becomes(self, shown: Page | RequestError) -> None:
        self.page, self.stamp = shown, self.stamp + 1


class TestWatched(unittest.TestCase):
    def setUp(self) -> None:
        self.job = Job()
        self.watched = Watched(self.job.read, lambda: self.job.stamp, NOTHING_SECRET, rest=0.0)

    def test_records_that_have_not_changed_are_not_read_again(self) -> None:
        version = self.watched.news(0)["version"]
        self.assertEqual(self.watched.news(version)["parts"], {})
        self.watched.document()
        self.assertEqual(self.job.reads, 1)

    def test_tells_the_parts_that_have_changed_and_no_others(self) -> None:
        version = self.watched.news(0)["version"]
        self.job.becomes(example("now"))
        news = self.watched.news(version)
        self.assertFalse(news["reload"])
        self.assertIn("node-a", news["parts"])
        self.assertNotIn("timeline", news["parts"])
        self.assertEqual(self.watched.news(news["version"])["parts"], {})

    def test_parts_that_come_or_go_need_the_whole_page(self) -> None:
        version = self.watched.news(0)["version"]
        self.job.becomes(page())
        self.assertTrue(self.watched.news(version)["reload"])
        self.assertTrue(self.watched.news(99)["reload"])

    def test_a_job_that_is_gone_is_said(self) -> None:
        self.watched.document()
        self.job.becomes(RequestError("there is no job in <b>", "begin one"))
        self.assertIn("there is no job in &lt;b&gt;", self.watched.document())

    def test_a_look_that_took_long_is_not_repeated_at_once(self) -> None:
        watched = Watched(self.job.read, lambda: self.job.stamp, NOTHING_SECRET, rest=1e9)
        watched.document()
        self.job.becomes(page())
        watched.document()
        self.assertEqual(self.job.reads, 1)


class TestServing(unittest.TestCase):
    def setUp(self) -> None:
        self.job = Job()
        watched = Watched(self.job.read, lambda: self.job.stamp, NOTHING_SECRET)
        self.server = PageServer(watched)
        self.addCleanup(self.server.server_close)
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)

    def ask(
        self, path: str = "", method: str = "GET", host: str | None = None, key: bool = True
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=30)
        self.addCleanup(connection.close)
        target = f"{self.server.folder}{path}" if key else path
        headers = {} if host is None else {"Host": host}
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()

    def status(self, *args: Any, **how: Any) -> int:
        return self.ask(*args, **how)[0].status

    def test_serves_the_page_with_its_policy(self) -> None:
        answer, body = self.ask()
        self.assertEqual(answer.status, 200)
        self.assertIn(b"1 of 3 nodes done", body)
        said = answer.headers["Content-Security-Policy"]
        self.assertTrue(said.startswith("default-src 'none'; "))
        self.assertIn("connect-src 'self'; ", said)
        self.assertIn("frame-ancestors 'none'", said)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_says_what_is_new(self) -> None:
        answer, body = self.ask("state?since=1")
        self.assertEqual((answer.status, json.loads(body)["parts"]), (200, {}))
        self.assertTrue(json.loads(self.ask("state?since=x")[1])["reload"])

    def test_head_answers_without_a_body(self) -> None:
        answer, body = self.ask(method="HEAD")
        self.assertEqual((answer.status, body), (200, b""))
        self.assertGreater(int(answer.headers["Content-Length"]), 1000)

    def test_nothing_can_be_done_but_read(self) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"):
            self.assertEqual(self.status(method=method), 405, method)

    def test_a_foreign_host_is_refused(self) -> None:
        port = self.server.server_port
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}",
                     f"127.0.0.1:{port}.evil.example", ""):  # fmt: skip
            for method in ("GET", "HEAD", "POST"):
                self.assertEqual(self.status(host=host, method=method), 403, host)
        self.assertEqual(self.status(host=f"localhost:{port}"), 200)

    def test_no_host_or_two_are_refused(self) -> None:
        for lines in ("", f"Host: 127.0.0.1:{self.server.server_port}\r\nHost: evil\r\n"):
            with socket.create_connection(("127.0.0.1", self.server.server_port)) as stream:
                asked = f"GET {self.server.folder} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
                stream.sendall(asked.encode())
                self.assertIn(b" 403 ", stream.makefile("rb").readline())

    def test_only_who_knows_the_address_gets_anything(self) -> None:
        for path in ("/", "/state", "/favicon.ico", "//", self.server.folder.upper() + "x"):
            self.assertEqual(self.status(path, key=False), 404, path)

    def test_no_path_leads_anywhere_else(self) -> None:
        for path in ("../", "..%2f", "%2e%2e/etc/passwd", "state/", "/etc/passwd", "plan.json",
                     "script.js", ".director/lock"):  # fmt: skip
            self.assertEqual(self.status(path), 404, path)

    def test_is_reached_on_loopback_only(self) -> None:
        self.assertEqual(self.server.server_address[0], "127.0.0.1")
