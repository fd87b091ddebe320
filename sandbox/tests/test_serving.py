"""A service of the sandbox records what it is asked and breaks in the ways it is told to."""

from __future__ import annotations

import threading
import time

import pytest
import requests
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from visma_twilio_sandbox.faults import HTML, Faults
from visma_twilio_sandbox.serving import RequestLog, ServiceServer


class Service:
    """Counts its runs and greets."""

    def __init__(self):
        self.faults = Faults()
        self.log = RequestLog()
        self.runs = []
        self.server = ServiceServer(
            "greeter",
            self._app,
            faults=self.faults,
            log=self.log,
            error_body=lambda fault: (f"own error {fault.status}".encode(), "text/greeting"),
        )

    async def _app(self, scope, receive, send):
        self.runs.append(await Request(scope, receive).body())
        await PlainTextResponse("hello")(scope, receive, send)


@pytest.fixture
def service():
    service = Service()
    service.server.start()
    yield service
    service.server.stop()


@pytest.fixture
def session():
    with requests.Session() as session:
        yield session


def test_a_request_is_recorded_with_all_it_said(service, session):
    answer = session.post(
        service.server.url + "/a/b?x=1&x=2&empty=",
        data=b"body",
        headers={"X-Thing": "yes"},
    )
    assert answer.text == "hello"
    (recorded,) = service.log.of("greeter")
    assert (recorded.method, recorded.path, recorded.status) == ("POST", "/a/b", 200)
    assert recorded.query == [("x", "1"), ("x", "2"), ("empty", "")]
    assert recorded.headers["x-thing"] == "yes"
    assert recorded.body == service.runs[0] == b"body"
    assert service.log.of("another") == []


def test_a_fault_strikes_as_often_as_told(service, session):
    service.faults.add("greeter", status=503, times=2, retry_after=7)
    answers = [session.get(service.server.url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].text == "own error 503"
    assert answers[0].headers["Content-Type"] == "text/greeting"
    assert len(service.runs) == 1
    assert [request.status for request in service.log.of("greeter")] == [503, 503, 200]


def test_a_fault_for_ever_ends_when_cleared(service, session):
    service.faults.add("greeter", status=500, times=None)
    assert {session.get(service.server.url).status_code for _ in range(3)} == {500}
    service.faults.clear()
    assert session.get(service.server.url).status_code == 200


def test_a_fault_strikes_only_what_it_is_for(service, session):
    service.faults.add("another", status=500)
    service.faults.add("greeter", status=500, match="needle", method="post")
    assert session.get(service.server.url + "?q=needle").status_code == 200
    assert session.post(service.server.url, data="hay").status_code == 200
    assert session.post(service.server.url, data="a needle").status_code == 500


def test_a_fault_can_say_what_its_body_is(service, session):
    service.faults.add("greeter", status=200, body='{"odd": true}')
    answer = session.get(service.server.url)
    assert answer.json() == {"odd": True}
    assert answer.headers["Content-Type"] == "application/json"


def test_a_connection_cut_before_leaves_the_service_untouched(service, session):
    service.faults.add("greeter", drop="before")
    with pytest.raises(requests.ConnectionError):
        session.post(service.server.url, data="x")
    assert service.runs == []
    assert [request.status for request in service.log.of("greeter")] == [None]
    assert session.get(service.server.url).status_code == 200


def test_a_connection_cut_after_has_done_the_work_unanswered(service, session):
    service.faults.add("greeter", drop="after")
    with pytest.raises(requests.ConnectionError):
        session.post(service.server.url, data="x")
    assert service.runs == [b"x"]
    assert [request.status for request in service.log.of("greeter")] == [None]


def test_a_connection_cut_during_the_answer_leaves_half_of_it(service, session):
    service.faults.add("greeter", drop="during")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="2 bytes read, 3 more"):
        session.get(service.server.url)
    assert len(service.runs) == 1
    assert session.get(service.server.url).text == "hello"


def test_half_of_a_body_may_come_as_if_it_were_all(service, session):
    service.faults.add("greeter", cut=True)
    service.faults.add("greeter", cut=True, status=200, body="[1, 2]")
    answers = [session.get(service.server.url) for _ in range(2)]
    assert [(one.status_code, one.text) for one in answers] == [(200, "he"), (200, "[1,")]


def test_a_body_may_stall_in_the_middle(service, session):
    service.faults.add("greeter", stall=0.05)
    assert session.get(service.server.url).text == "hello"
    service.faults.add("greeter", stall=60)
    with pytest.raises(requests.ConnectionError, match="timed out"):
        session.get(service.server.url, timeout=0.1)


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_html_is_called_so(service, session, status):
    service.faults.add("greeter", status=status, body=HTML)
    answer = session.get(service.server.url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_client_that_gives_up_is_still_served(service, session):
    served = threading.Event()
    service.runs = type("Runs", (list,), {"append": lambda _, __: served.set()})()
    service.faults.add("greeter", delay=0.2)
    with pytest.raises(requests.Timeout):
        session.get(service.server.url, timeout=0.05)
    assert served.wait(5)


def test_a_long_delay_does_not_hold_up_the_end(service):
    service.faults.add("greeter", delay=60)
    ended = threading.Event()

    def ask():
        with pytest.raises(requests.ConnectionError), requests.Session() as session:
            session.get(service.server.url)
        ended.set()

    asking = threading.Thread(target=ask)
    asking.start()
    deadline = time.monotonic() + 5
    while not service.log.of("greeter") and time.monotonic() < deadline:
        pass
    begun = time.monotonic()
    service.server.stop()
    asking.join(5)
    assert ended.is_set()
    assert time.monotonic() - begun < 2
    assert service.runs == []


def test_a_stopped_service_does_not_listen(service, session):
    url = service.server.url
    service.server.stop()
    with pytest.raises(requests.ConnectionError):
        session.get(url)
    with pytest.raises(RuntimeError, match="not started"):
        _ = service.server.url
