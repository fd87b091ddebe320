"""An alert by Twilio Email, from the record to its end, and what becomes of it otherwise."""

from __future__ import annotations

import pytest
from office import Office
from singer import baseline, invoice, record, schema, state

RULES = """
recipients:
  anna: {name: Anna Berg, email: anna@example.com, locale: sv_SE}
rules:
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: email}
"""
ALERT = schema() + record(invoice("900001", 75000, stamp="2026-11-20T11:00:00")) + state()


@pytest.fixture
def run(workplace, zygote):
    """Runs the target over one large invoice, after a baseline."""
    workplace.config["email_driver"] = "twilio"
    del workplace.config["sendgrid_api_key"]
    workplace.write_alerts(RULES)
    zygote.run(workplace, baseline())

    def target(code=0):
        return zygote.run(workplace, ALERT, code=code)

    return target


def fault(workplace, **what):
    workplace.sandbox.faults.add("comms", method="POST", **what)


def test_an_email_leaves_with_its_text_its_html_and_its_id(workplace, run):
    run()
    (email,) = workplace.sandbox.twilio.emails
    columns = ("messages.id", "state", "sid", "text", "html")
    ((reference, found, sid, text, html),) = workplace.messages(*columns)
    assert (found, sid) == ("accepted", email.message_id)
    assert (email.to, email.from_) == ("anna@example.com", "alerts@example.com")
    assert email.subject == "Ny leverantörsfaktura 900001: 75 000,00 SEK, Kontorsbolaget AB"
    assert (email.text, email.html) == (text, html)
    assert email.custom_args == {"message_id": reference}
    assert workplace.sandbox.sendgrid.emails == []


def test_an_email_ends_at_accepted_and_nobody_is_asked_about_it(workplace, zygote, run):
    run()
    asked = len(workplace.sandbox.requests("comms"))
    zygote.run(workplace, schema() + state())
    assert workplace.messages("state") == [("accepted",)]
    assert len(workplace.sandbox.requests("comms")) == asked
    assert workplace.sandbox.requests("twilio") == []


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"status": 500}, "internal error"),
        ({"status": 503}, "internal error"),
        ({"status": 202, "body": "{}"}, "without an operation id"),
        ({"drop": "after"}, "broke before the answer"),
        ({"cut": True}, "without an operation id"),
    ],
    ids=["500", "503", "no operation", "dropped", "half an answer"],
)
def test_without_a_clear_answer_an_email_is_unknown_and_never_sent_again(
    workplace, run, what, told
):
    fault(workplace, **what)
    run()
    run()
    ((found, reason),) = workplace.messages("state", "messages.reason")
    assert found == "unknown"
    assert told in reason
    assert len(workplace.sandbox.requests("comms")) == 1


def test_too_many_requests_postpone_an_email_which_leaves_in_the_same_run(workplace, run):
    fault(workplace, status=429, times=2)
    run()
    assert workplace.messages("state", "tries") == [("accepted", 3)]
    assert len(workplace.sandbox.twilio.emails) == 1


def test_an_email_that_is_refused_is_rejected_and_told_without_its_address(workplace, run):
    fault(workplace, status=400, body='{"code": 20001, "message": "bad to anna@example.com"}')
    ended = run()
    ((found, code, reason),) = workplace.messages("state", "error_code", "messages.reason")
    assert (found, code) == ("rejected", "20001")
    assert "a***@example.com" in reason
    assert "anna@example.com" not in ended.stderr


def test_a_sender_that_is_not_verified_keeps_everything_pending(workplace, run):
    right = workplace.config["email_from"]
    workplace.config["email_from"] = "alerts@unverified.example"
    ended = run(code=2)
    (error,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    assert "not verified" in error
    assert workplace.messages("state") == [("pending",)]
    workplace.config["email_from"] = right
    run()
    assert workplace.messages("state") == [("accepted",)]


def test_wrong_credentials_keep_everything_pending_and_are_not_told(workplace, run):
    workplace.config["auth_token"] = "wrong-token"
    ended = run(code=2)
    assert "Twilio refused the credentials" in ended.stderr
    assert "wrong-token" not in ended.stderr
    assert workplace.messages("state") == [("pending",)]


def test_a_driver_that_there_is_not_is_one_clear_line(workplace, run):
    workplace.config["email_driver"] = "mailgun"
    ended = run(code=2)
    (error,) = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    for word in ("email_driver", "mailgun", "sendgrid", "twilio"):
        assert word in error
    assert "Traceback" not in ended.stderr


def test_a_test_message_goes_through_the_driver(workplace):
    office = Office(workplace)
    office.config["email_driver"] = "twilio"
    office.people(via="email", anna={"email": "anna@example.com"})
    office.run("send-test", "anna", "--channel", "email")
    (email,) = office.sandbox.twilio.emails
    assert email.subject == "Test message"
    assert email.html == f"<p>{email.text}</p>"
