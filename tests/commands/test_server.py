"""What ``vitcourse serve`` answers, what it refuses, and that it answers on after both."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from tests.commands.serving import LABELS, answering, answers, asked, picture, running, sent
from vitcourse.commands import server
from vitcourse.errors import InputError


@pytest.fixture(scope="module")
def address():
    with running(answering()) as address:
        yield address


def test_it_says_what_the_model_is(address):
    status, about, headers = asked(address, "GET", "/about")
    assert (status, about["kind"], about["labels"]) == (200, "lights", LABELS)
    assert about["limits"]["bytes"] == server.MOST_BYTES
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Server" not in headers


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP"])
@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "image/jpeg; charset=x"])
def test_it_answers_for_an_image_whatever_its_form(address, form, kind):
    status, answer, _ = asked(address, "POST", "/predict?top=9", picture(255, form), Content_Type=kind)
    assert status == 200
    assert [one["label"] for one in answer["top"]] == ["bright", "dark"]
    assert answer["top"][0]["share"] == pytest.approx(1.0)
    assert (answer["box"], answer["size"]) == ([0.0, 0.0, 0.5, 1.0], [40, 20])
    assert asked(address, "POST", "/predict?top=1", picture(0), Content_Type=kind)[1]["top"][0]["label"] == "dark"


@pytest.mark.parametrize("name", ["/", "/page.css", "/page.js"])
def test_it_has_one_page(address, name):
    status, content, headers = asked(address, "GET", name)
    assert status == 200
    assert b"http" not in content.replace(b"http-equiv", b"")  # nothing of another host
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "words"),
    [
        ("POST", "/predict", b"hello", {"Content_Type": "image/jpeg"}, 422, "cannot be decoded"),
        ("POST", "/predict", b"", {"Content_Type": "image/jpeg"}, 422, "cannot be decoded"),
        ("POST", "/predict", picture()[:60], {"Content_Type": "image/png"}, 422, "cannot be decoded"),
        ("POST", "/predict", b"{}", {"Content_Type": "application/json"}, 415, "an image is expected"),
        ("POST", "/predict", b"x", {}, 415, "an image is expected"),
        ("POST", "/predict?top=0", picture(), {"Content_Type": "image/png"}, 400, "top must be"),
        ("POST", "/predict?top=many", picture(), {"Content_Type": "image/png"}, 400, "top must be"),
        ("GET", "/predict", None, {}, 405, "Method Not Allowed"),
        ("PUT", "/about", b"x", {}, 405, "Method Not Allowed"),
        ("GET", "/../cli.py", None, {}, 404, "Not Found"),
        ("GET", "/page/page.js", None, {}, 404, "Not Found"),
        ("GET", "/about", None, {"Host": "elsewhere.example"}, 403, "127.0.0.1 and localhost alone"),
        ("POST", "/predict", picture(), {"Content_Type": "image/png", "Origin": "null"}, 403, "another site"),
        ("POST", "/predict", picture(), {"Content_Type": "image/png", "Origin": "https://a.example"}, 403, "another"),
    ],
)
def test_what_it_refuses(address, method, path, body, headers, status, words):
    found, answer, _ = asked(address, method, path, body, **headers)
    assert found == status
    assert words in answer["error"]


def test_an_image_may_not_be_too_large(address):
    large = bytes(server.MOST_BYTES + 1)
    found, answer, _ = asked(address, "POST", "/predict", large, Content_Type="image/png")
    assert (found, "12,582,912 bytes" in answer["error"]) == (413, True)
    chunks = (large[i : i + 2**20] for i in range(0, len(large), 2**20))  # sent in pieces, with no length told
    assert asked(address, "POST", "/predict", chunks, Content_Type="image/png")[0] == 413
    host = urlsplit(address).netloc
    declared = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\nContent-Length: {2**40}\r\n\r\n"
    assert sent(address, declared.encode()).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [("/predict", "image/png", 413), ("/predict", "text/plain", 415), ("/about", "image/png", 405), ("/x", "", 404)],
)
def test_who_sends_much_can_read_why_it_is_refused(address, path, kind, status):
    """A program that writes all before it reads, as most do, would be reset and told nothing."""
    found, answer, _ = asked(address, "POST", path, bytes(60 * 2**20), Content_Type=kind)
    assert (found, list(answer)) == (status, ["error"])


def test_an_image_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(server, "PATIENCE", 1)
    with (
        running(answering()) as address,
        socket.create_connection(urlsplit(address).netloc.split(":"), timeout=900) as slow,
    ):
        head = f"POST /predict HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\nContent-Type: image/png\r\n"
        slow.sendall(f"{head}Content-Length: 5000\r\n\r\nonly this".encode())
        assert asked(address, "GET", "/about")[0] == 200
        received = b""
        while piece := slow.recv(65536):
            received += piece
    assert received.startswith(b"HTTP/1.1 408")
    assert b"the image did not come within 1 seconds" in received


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\xff" * 1000 + b"\r\n\r\n",
        b"GET /about HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
        b"POST /predict HTTP/1.1\r\nHost: HOST\r\nContent-Type: image/png\r\nContent-Length: 50\r\n\r\nonly this",
        b"POST /predict HTTP/1.1\r\nHost: HOST\r\nContent-Type: image/png\r\nContent-Length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: HOST\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_broken_request_gets_no_answer_and_the_next_one_does(address, raw):
    received = sent(address, raw.replace(b"HOST", urlsplit(address).netloc.encode()))
    assert not received.startswith(b"HTTP/1.1 200")
    assert b"Traceback" not in received
    assert asked(address, "GET", "/about")[0] == 200


def test_fifty_at_once(address):
    """Whole ones and broken ones: each gets its own answer."""

    def ask(number):
        if number % 5 == 4:
            return asked(address, "POST", "/predict", b"broken", Content_Type="image/png")[0]
        status, answer, _ = asked(
            address, "POST", "/predict?top=1", picture(255 * (number % 2)), Content_Type="image/png"
        )
        return status, answer["top"][0]["label"]

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(ask, range(50)))
    assert found == [422 if number % 5 == 4 else (200, LABELS[number % 2]) for number in range(50)]


def test_too_many_are_told_to_come_again(monkeypatch):
    monkeypatch.setattr(server, "MOST_WAITING", 1)
    computing, go_on = threading.Event(), threading.Event()

    def slow(images):
        computing.set()
        go_on.wait(900)
        return answers(images)

    def ask(address):
        return asked(address, "POST", "/predict", picture(), Content_Type="image/png")

    with running(answering(slow)) as address, ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, address)
        computing.wait(900)
        try:
            status, answer, headers = ask(address)
            about = asked(address, "GET", "/about")[0]
        finally:
            go_on.set()
        assert (status, headers["Retry-After"], "too many" in answer["error"]) == (503, "1", True)
        assert about == 200  # the page is there all the same
        assert first.result()[0] == ask(address)[0] == 200


def test_one_that_waited_too_long_is_not_computed(monkeypatch):
    clock = count(0, server.PATIENCE + 1)
    monkeypatch.setattr(server, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with running(answering()) as address:
        status, answer, _ = asked(address, "POST", "/predict", picture(), Content_Type="image/png")
    assert (status, "its turn did not come" in answer["error"]) == (503, True)


def test_a_port_that_is_taken_is_told(address):
    with pytest.raises(InputError, match=r"port \d+ of this machine cannot be used"):
        server.start(answering(), urlsplit(address).port)


def test_it_listens_on_this_machine_alone(address):
    port = urlsplit(address).port
    with socket.socket() as other, pytest.raises(OSError, match=r"refused|unreachable"):
        other.connect(("127.0.0.2", port))
