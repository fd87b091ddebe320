"""What becomes of a message by what the provider answers, in this run and in the next."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest
from ledgers import ON_BOTH
from singer import baseline, invoice, record, schema, state
from waiting import until

from target_twilio_alerts.delivery.callback_urls import CallbackUrls
from target_twilio_alerts.delivery.channels import SmsChannel
from target_twilio_alerts.delivery.consequences import backoff
from target_twilio_alerts.delivery.dispatcher import Dispatcher
from target_twilio_alerts.delivery.pace import Rates
from target_twilio_alerts.ledger import Ledger, runs

RULES = """
recipients:
  anna: {{name: Anna Berg, sms: "+46701740605", email: anna@example.com}}
  bo: {{name: Bo Dahl, sms: "{second}"}}
rules:
  by-sms: {{entity: supplier_invoice, when: amount > 50000, notify: [{sms}], via: sms}}
"""
BY_EMAIL = (
    "  by-email: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: email}\n"
)
REFUSED = "+46701740696"
UNREACHABLE = "+46701740691"
LINES = schema() + record(invoice("1", 75000, stamp="2026-11-20T11:00:00")) + state()


@pytest.fixture
def target(workplace, zygote):
    """Runs the target over one large invoice, after a baseline."""
    rules(workplace)
    zygote.run(workplace, baseline())

    def run(code=0):
        return zygote.run(workplace, LINES, code=code)

    return run


def rules(workplace, *, sms="anna", second=REFUSED, email=False):
    workplace.write_alerts(RULES.format(sms=sms, second=second) + (BY_EMAIL if email else ""))


@pytest.fixture
def pending(workplace, target):
    """A message that waits in the ledger: Twilio refused the credentials of the run before."""
    right = workplace.config["auth_token"]
    workplace.config["auth_token"] = "wrong-token"
    target(code=2)
    workplace.config["auth_token"] = right
    assert workplace.messages("state") == [("pending",)]


def fault(workplace, service="twilio", **what):
    workplace.sandbox.faults.add(service, method="POST", **what)


def posts(workplace, service="twilio"):
    return [one for one in workplace.sandbox.requests(service) if one.method == "POST"]


def errors(ended):
    return [line for line in ended.stderr.splitlines() if "ERROR" in line]


@ON_BOTH
def test_a_clear_yes_is_accepted_and_a_clear_no_rejected_with_its_explanation(workplace, target):
    rules(workplace, sms="anna, bo")
    ended = target()
    (message,) = workplace.accepted
    columns = ("recipient", "state", "sid", "error_code", "error_message", "tries")
    anna, bo = workplace.messages(*columns)
    assert anna == ("anna", "accepted", message.sid, None, None, 1)
    assert bo[:4] == ("bo", "rejected", None, "21614")
    assert "not a mobile number" in bo[4]
    assert bo[4] in ended.stderr
    assert "Handed over in this run: 1 accepted, 1 rejected" in ended.stderr

    target()
    assert len(posts(workplace)) == 2


@ON_BOTH
def test_too_many_requests_postpone_a_message_which_leaves_in_the_same_run(workplace, target):
    fault(workplace, status=429, times=3)
    ended = target()
    assert workplace.messages("state", "tries", "messages.reason") == [("accepted", 4, None)]
    assert "1 accepted, 0 rejected, 0 unknown, 3 postponed" in ended.stderr


def test_a_provider_that_asks_for_longer_than_the_deadline_is_asked_again_in_a_later_run(
    workplace,
    target,
):
    workplace.config["delivery_deadline_seconds"] = 5
    fault(workplace, status=429, retry_after=3000)
    ended = target()
    ((found, reason, not_before),) = workplace.messages("state", "messages.reason", "not_before")
    assert found == "pending"
    assert "too many requests" in reason
    assert 2600 < seconds_until(not_before) < 3400
    assert "Not at their end: 1 pending" in ended.stderr
    target()
    assert len(posts(workplace)) == 1


def seconds_until(moment):
    at = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return (at - datetime.now(timezone.utc)).total_seconds()


@ON_BOTH
def test_a_wrong_auth_token_keeps_everything_pending_and_the_right_one_sends_it(workplace, target):
    right = workplace.config["auth_token"]
    workplace.config["auth_token"] = "wrong-token"
    workplace.config["max_in_flight"] = 1
    rules(workplace, sms="anna, bo", second="+46701740606")
    ended = target(code=2)
    (error,) = errors(ended)
    assert "Twilio refused the credentials" in error
    assert "nothing was lost" in error
    assert "Traceback" not in ended.stderr
    assert "wrong-token" not in ended.stderr
    assert "2 pending" in ended.stderr
    assert len(posts(workplace)) == 1
    assert ended.stderr.count("Ledger head") == 1
    assert workplace.query("SELECT outcome FROM runs ORDER BY started_at")[-1] == ("failed",)

    workplace.config["auth_token"] = right
    target()
    assert workplace.messages("state") == [("accepted",)] * 2


def test_a_wrong_sendgrid_key_loses_no_sms_and_no_email(workplace, target):
    right = workplace.config["sendgrid_api_key"]
    workplace.config["sendgrid_api_key"] = "SG.wrong-key"
    rules(workplace, email=True)
    ended = target(code=2)
    (error,) = errors(ended)
    assert "HTTP 401" in error
    assert "SG.wrong-key" not in ended.stderr
    found = dict(workplace.messages("channel", "state"))
    assert found["email"] == "pending"
    assert found["sms"] in {"accepted", "pending"}

    workplace.config["sendgrid_api_key"] = right
    target()
    assert dict(workplace.messages("channel", "state")) == {"email": "accepted", "sms": "accepted"}
    assert len(workplace.accepted) == 1
    assert len(workplace.sandbox.sendgrid.emails) == 1


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"status": 500}, "internal error"),
        ({"status": 503}, "internal error"),
        ({"status": 502, "body": "<html>Bad gateway</html>"}, "HTTP 502"),
        ({"drop": "before"}, "broke before the answer"),
        ({"status": 201, "body": "{}"}, "without a message SID"),
    ],
    ids=["500", "503", "502", "dropped before the work", "no SID"],
)
def test_without_a_clear_answer_a_message_is_unknown_and_never_sent_again(
    workplace,
    target,
    what,
    told,
):
    fault(workplace, **what)
    ended = target()
    assert "1 unknown" in ended.stderr
    target()
    ((found, reason),) = workplace.messages("state", "messages.reason")
    assert found == "unknown"
    assert told in reason
    assert len(posts(workplace)) == 1
    assert workplace.accepted == []


def test_an_email_without_a_clear_answer_is_unknown_too(workplace, target):
    workplace.write_alerts(RULES.format(sms="anna", second=REFUSED) + BY_EMAIL)
    fault(workplace, "sendgrid", drop="after")
    target()
    target()
    assert dict(workplace.messages("channel", "state")) == {"email": "unknown", "sms": "accepted"}
    assert len(workplace.sandbox.sendgrid.emails) == 1


@pytest.mark.usefixtures("pending")
def test_an_answer_that_is_too_late_is_unknown(workplace):
    refused = len(posts(workplace))
    with_patience(workplace, seconds=0.2)
    ((found, reason),) = workplace.messages("state", "messages.reason")
    assert found == "unknown"
    assert "no answer from 127.0.0.1 in time" in reason
    assert len(posts(workplace)) == refused + 1


def with_patience(workplace, *, seconds):
    """Deliver what is pending by a channel that does not wait as long as the product's."""
    fault(workplace, delay=30)
    with dispatcher(workplace, timeout=seconds) as (_, delivering):
        delivering.start()
        delivering.finish(deadline_seconds=20, more=())


@contextmanager
def dispatcher(workplace, *, timeout=15):
    """A ledger and its dispatcher in this process, one message at a time."""
    config = workplace.config
    channel = SmsChannel(
        account_sid=config["account_sid"],
        auth_token=config["auth_token"],
        from_number=config["from_number"],
        base_url=config["twilio_api_url"],
        timeout=timeout,
    )
    ledger = Ledger(config["ledger_url"])
    yield (
        ledger,
        Dispatcher(
            ledger,
            {"sms": channel},
            run=runs.start(ledger, command="test", version="0", body={}),
            max_in_flight=1,
            callbacks=CallbackUrls(None),
            rates=Rates(),
        ),
    )
    channel.close()
    ledger.close()


@ON_BOTH
@pytest.mark.usefixtures("pending")
def test_a_message_just_claimed_is_not_taken_for_the_end_of_the_queue(workplace, monkeypatch):
    with dispatcher(workplace) as (ledger, delivering):
        write = ledger.write
        thought_done = []

        @contextmanager
        def write_then_look():
            with write() as connection:
                yield connection
            # `finish` may be woken at this very moment, the claim just committed.
            if threading.current_thread().name == "dispatcher" and not workplace.accepted:
                thought_done.append(delivering._is_done(datetime.now(timezone.utc)))

        monkeypatch.setattr(ledger, "write", write_then_look)
        delivering.start()
        until(lambda: workplace.accepted)
        delivering.finish(deadline_seconds=20, more=())
    assert thought_done == [False]
    assert workplace.messages("state") == [("accepted",)]


def test_a_connection_that_was_never_made_leaves_the_message_pending(workplace, target):
    right = workplace.config["twilio_api_url"]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    workplace.config |= {
        "twilio_api_url": f"http://127.0.0.1:{port}",
        "delivery_deadline_seconds": 1,
    }
    ended = target()
    ((found, reason),) = workplace.messages("state", "messages.reason")
    assert (found, reason) == ("pending", "no connection to 127.0.0.1")
    assert "0 unknown" in ended.stderr

    workplace.config |= {"twilio_api_url": right, "delivery_deadline_seconds": 20}
    target()
    assert workplace.messages("state") == [("accepted",)]


@pytest.mark.usefixtures("pending")
def test_an_outage_of_many_days_loses_nothing(workplace, target):
    workplace.query("UPDATE messages SET tries = 5000")
    right = workplace.config["twilio_api_url"]
    workplace.config |= {"twilio_api_url": "http://127.0.0.1:1", "delivery_deadline_seconds": 1}
    target()
    assert workplace.messages("state") == [("pending",)]
    workplace.query("UPDATE messages SET not_before = NULL")
    workplace.config |= {"twilio_api_url": right, "delivery_deadline_seconds": 20}
    target()
    assert workplace.messages("state") == [("accepted",)]


def test_a_provider_that_asks_for_years_is_asked_again_after_an_hour():
    wait = backoff(1, 1.7e12)
    assert 3000 < wait < 4000


def test_a_message_that_twilio_does_not_know_does_not_hide_the_others(workplace, target):
    rules(workplace, sms="anna, bo", second="+46701740606")
    target()
    workplace.sandbox.twilio.settle()
    gone = "SM" + "f" * 32
    workplace.query("UPDATE messages SET sid = ? WHERE recipient = 'anna'", gone)
    ended = target()
    assert "its status was not read" in ended.stderr
    assert workplace.messages("recipient", "state") == [("anna", "accepted"), ("bo", "delivered")]


def test_without_time_to_deliver_everything_stays_pending_for_the_next_run(workplace, target):
    workplace.config["delivery_deadline_seconds"] = 0
    fault(workplace, status=429, times=None)
    ended = target()
    assert workplace.messages("state") == [("pending",)]
    assert "Not at their end: 1 pending" in ended.stderr
    workplace.sandbox.faults.clear()
    workplace.config["delivery_deadline_seconds"] = 20
    target()
    assert workplace.messages("state") == [("accepted",)]


@ON_BOTH
def test_the_next_run_asks_how_far_each_message_has_come(workplace, target):
    rules(workplace, sms="anna, bo", second=UNREACHABLE)
    target()
    assert workplace.messages("state") == [("accepted",)] * 2
    workplace.sandbox.twilio.settle()
    target()
    columns = ("recipient", "state", "status", "error_code")
    assert workplace.messages(*columns) == [
        ("anna", "delivered", "delivered", None),
        ("bo", "undelivered", "undelivered", "30003"),
    ]
    asked = len(workplace.sandbox.requests("twilio"))
    target()
    assert len(workplace.sandbox.requests("twilio")) == asked


@ON_BOTH
def test_the_most_severe_leaves_first(workplace, target):
    severities = ("low", "critical", "normal", "high")
    workplace.write_alerts(
        'recipients:\n  anna: {name: Anna Berg, sms: "+46701740605"}\nrules:\n'
        + "".join(
            f"  {name}: {{entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms, "
            f"severity: {name}}}\n"
            for name in severities
        )
    )
    workplace.config["max_in_flight"] = 1
    target()
    sent = sorted(workplace.messages("messages.sending_at", "alerts.severity"))
    assert [severity for _, severity in sent] == ["critical", "high", "normal", "low"]
