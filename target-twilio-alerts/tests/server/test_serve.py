"""``twilio-alerts serve``: how it begins, what it tells of itself, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from office import Office
from serving import PUBLIC, served
from singer import invoice
from waiting import until

from target_twilio_alerts.server import settings as server_settings


@pytest.fixture
def office(workplace):
    return Office(workplace)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to_and_its_run_is_closed(workplace, number):
    with served(workplace) as server:
        assert server.stop(number) == 0
    assert workplace.query("SELECT command, outcome FROM runs") == [("serve", "completed")]
    assert "Ledger head: event 2" in server.log[-1]
    assert "Traceback" not in "".join(server.log)
    assert "completed" in workplace.command("audit", "runs")
    (run,) = workplace.query("SELECT id FROM runs")
    workplace.command("audit", "prove", "--run", run[0])


def test_all_that_was_answered_before_the_end_is_written(workplace):
    sids = [f"SM{number:032x}" for number in range(400)]
    with served(workplace) as server, ThreadPoolExecutor(8) as threads:

        def post(sid):
            try:
                return server.status(sid, "sent")
            except requests.ConnectionError:
                return None

        posts = [threads.submit(post, sid) for sid in sids]
        until(lambda: sum(one.done() for one in posts) > 40)
        server.process.send_signal(signal.SIGTERM)
        answers = [one.result() for one in posts]
        assert server.process.wait(60) == 0
    kept = workplace.query("SELECT body FROM audit_events WHERE kind = 'callback_unmatched'")
    written = {json.loads(body)["sid"] for (body,) in kept}
    answered = {sid for sid, code in zip(sids, answers, strict=True) if code == 204}
    assert answered <= written
    assert 0 < len(answered) < len(sids)
    assert workplace.query("SELECT outcome FROM runs") == [("completed",)]


def test_it_listens_on_this_machine_only_and_tells_of_itself(workplace):
    with served(workplace) as server:
        assert server.url.startswith("http://127.0.0.1:")
        health = server.session.get(f"{server.url}/healthz", timeout=9)
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        metrics = server.session.get(f"{server.url}/metrics", timeout=9)
        assert metrics.headers["content-type"].startswith("text/plain")
        assert "twilio_alerts_requests_total" in metrics.text
        nowhere = server.session.get(f"{server.url}/twilio/other", timeout=9)
        assert (nowhere.status_code, nowhere.text) == (404, "")
        assert "server" not in health.headers


def test_whoever_hangs_up_in_the_middle_of_a_body_leaves_no_traceback(workplace):
    with served(workplace) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"POST /twilio/status HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n\r\nMessageSid=SM"
            )

        def malformed():
            return server.metric("twilio_alerts_requests_total", about="status", result="malformed")

        assert until(malformed) == 1
        assert server.status("SM" + "a" * 32, "sent") == 204
    assert "Traceback" not in "".join(server.log)


def test_messages_are_counted_by_state(office):
    office.people(ap={"sms": "+46701740605"})
    office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    with served(office.workplace) as server:
        assert server.metric("twilio_alerts_messages", state="pending") == 1


KEY_ONLY = {
    "auth_token": None,
    "api_key_sid": "SK" + "0" * 32,
    "api_key_secret": "s",
    "public_url": PUBLIC,
}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (KEY_ONLY, "auth_token: not set, but Twilio signs its callbacks with it, also where an"),
        (
            {},
            "nothing to serve: set public_url for Twilio's callbacks and links in emails, sendgrid",
        ),
        (
            {"visma_webhook_secret": "s", "poll_command": "true"},
            "visma_webhook_header: not set, but visma_webhook_secret is; set it",
        ),
        (
            {"visma_webhook_secret": "s", "visma_webhook_header": "X-Sig"},
            "poll_command: not set, but visma_webhook_secret is; set it",
        ),
        (
            {"public_url": PUBLIC, "poll_command": "no-such-program run"},
            "poll_command: there is no program no-such-program; write its full path",
        ),
        ({"poll_command": "sh -c 'x"}, "poll_command: a quotation in it does not end; close it"),
        ({"visma_webhook_header": "X Sig:"}, "visma_webhook_header: no name of a header"),
        ({"public_url": "https://[::1"}, "public_url: not a URL of the form https://host"),
        ({"public_url": f"{PUBLIC}:99999"}, "public_url: not a URL of the form https://host"),
        ({"public_url": f"{PUBLIC}/{{a:foo}}"}, "public_url: not a URL of the form https://host"),
        ({"sendgrid_webhook_key": "AAAA"}, "sendgrid_webhook_key: no public key that SendGrid"),
        ({"sendgrid_webhook_key": "*"}, "sendgrid_webhook_key: no public key in base64"),
    ],
)
def test_what_is_missing_is_told_in_a_line(office, config, said):
    office.config |= config
    told = office.run("serve", "--port", "0", code=1)
    assert told.startswith(f"Error: {said}")
    assert told.count("\n") == 1


def test_without_an_account_it_says_that_twilio_is_not_heard(workplace):
    with served(workplace, account_sid=None) as server:
        fields = {"MessageSid": "SM" + "a" * 32, "MessageStatus": "sent"}
        answer = server.session.post(f"{server.url}/twilio/status", data=fields, timeout=9)
        assert answer.status_code == 404
    [line] = [line for line in server.log if "account_sid is not set" in line]
    assert "are not heard; set it with auth_token, unless there are only emails" in line


def test_with_an_account_it_says_nothing_of_it(workplace):
    with served(workplace) as server:
        pass
    assert "account_sid" not in "".join(server.log)


def test_a_port_that_is_taken_is_told_in_a_line(office):
    office.config["public_url"] = PUBLIC
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = office.run("serve", "--port", port, code=1)
    assert told == (
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; give another --host "
        "or --port\n"
    )


def test_without_the_extra_it_says_how_to_install_it(office, monkeypatch):
    office.config["public_url"] = PUBLIC
    for name in [name for name in sys.modules if name.startswith("target_twilio_alerts.server.")]:
        if sys.modules[name] is not server_settings:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("target_twilio_alerts.server.serving", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    told = office.run("serve", code=1)
    assert told == (
        "Error: serve needs the extra 'server': pip install 'target-twilio-alerts[server]'\n"
    )
