"""Twilio's status callbacks, from a server that is a process, over real HTTP."""

from __future__ import annotations

import json

import pytest
from ledgers import ON_BOTH, check_chain
from serving import PUBLIC, free_port, served
from singer import baseline, invoice, record, schema, state
from waiting import until

SID = "SM" + "a" * 32
CALL = "CA" + "b" * 32


@pytest.fixture
def told(workplace, zygote):
    """An SMS that Twilio has accepted: its id and SID."""
    workplace.config["public_url"] = PUBLIC
    zygote.run(workplace, baseline())
    row = record(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
    zygote.run(workplace, schema() + row + state())
    ((message_id, sid),) = workplace.messages("messages.id", "sid")
    return message_id, sid


def events(workplace, kind):
    rows = workplace.query("SELECT body FROM audit_events WHERE kind = ? ORDER BY seq", kind)
    return [json.loads(body) for (body,) in rows]


@ON_BOTH
def test_a_status_goes_up_and_the_trail_agrees(workplace, told):
    message_id, sid = told
    with served(workplace) as server:
        for status in ("sent", "delivered", "sent", "queued", "delivered"):
            assert server.status(sid, status, message=message_id) == 204
    assert workplace.messages("state", "status") == [("delivered", "delivered")]
    assert [one["status"] for one in events(workplace, "message_status")] == ["sent", "delivered"]
    check_chain(workplace.config["ledger_url"])
    assert "ok" in workplace.command("audit", "verify")


@ON_BOTH
def test_an_opt_out_that_comes_by_callback_only_is_remembered(workplace, told):
    message_id, sid = told
    with served(workplace) as server:
        for _ in range(2):
            assert server.status(sid, "failed", message=message_id, ErrorCode="21610") == 204
    assert workplace.messages("state", "error_code") == [("failed", "21610")]
    assert workplace.query("SELECT channel, source FROM opt_outs") == [("sms", "error 21610")]
    assert len(events(workplace, "opted_out")) == 1


@ON_BOTH
@pytest.mark.parametrize("later", ["undelivered", "failed"])
def test_a_code_that_comes_after_the_status_is_kept_with_its_words_and_the_opt_out(
    workplace, told, later
):
    message_id, sid = told
    with served(workplace) as server:
        assert server.status(sid, "undelivered", message=message_id) == 204
        assert workplace.messages("error_code") == [(None,)]
        code = {"ErrorCode": "21610", "ErrorMessage": "+46701740605 has\0 unsubscribed"}
        for _ in range(2):
            assert server.status(sid, later, message=message_id, **code) == 204
        # A second code is not the reason of what has one.
        assert server.status(sid, "undelivered", message=message_id, ErrorCode="30003") == 204
    found = workplace.messages("state", "status", "error_code", "error_message")
    assert found == [("undelivered", "undelivered", "21610", "+46*****605 has unsubscribed")]
    assert [(one["status"], one["error_code"]) for one in events(workplace, "message_status")] == [
        ("undelivered", None),
        ("undelivered", "21610"),
    ]
    assert workplace.query("SELECT channel, source FROM opt_outs") == [("sms", "error 21610")]
    assert len(events(workplace, "opted_out")) == 1
    check_chain(workplace.config["ledger_url"])
    assert "ok" in workplace.command("audit", "verify")


def test_a_late_code_of_what_was_delivered_after_all_is_not_kept(workplace, told):
    message_id, sid = told
    with served(workplace) as server:
        assert server.status(sid, "delivered", message=message_id) == 204
        assert server.status(sid, "undelivered", message=message_id, ErrorCode="21610") == 204
    assert workplace.messages("state", "error_code") == [("delivered", None)]
    assert workplace.query("SELECT count(*) FROM opt_outs") == [(0,)]


def test_what_twilio_posts_in_disorder_ends_in_each_messages_last_status(workplace, zygote):
    port = free_port()
    workplace.config["public_url"] = f"http://127.0.0.1:{port}"
    zygote.run(workplace, baseline())
    twilio = workplace.sandbox.twilio
    with served(workplace, port=port, public_url=workplace.config["public_url"]):
        rows = [record(invoice(str(n), 75000, stamp="2026-11-20T11:00:00")) for n in range(8)]
        zygote.run(workplace, schema() + "".join(rows) + state("2026-11-20T11:00:00"))
        twilio.settle()
        assert twilio.callback_failures == []
    ends = {message.sid: message.status for message in twilio.messages}
    assert dict(workplace.messages("sid", "status")) == ends
    assert set(workplace.messages("state")) == {("delivered",)}
    assert events(workplace, "callback_unmatched") == []
    assert "ok" in workplace.command("audit", "verify")


@pytest.mark.parametrize("state_before", ["unknown", "sending"])
def test_a_callback_with_its_own_id_settles_a_message(workplace, told, state_before):
    message_id, sid = told
    workplace.query(
        "UPDATE messages SET state = ?, sid = NULL, status = NULL, accepted_at = NULL",
        state_before,
    )
    with served(workplace) as server:
        assert server.status(sid, "sent", message=message_id) == 204
        assert server.metric("twilio_alerts_requests_total", about="status", result="settled") == 1
    assert workplace.messages("state", "sid", "status") == [("sent", sid, "sent")]
    (settled,) = events(workplace, "message_settled")
    assert (settled["sid"], settled["evidence"]) == (sid, "callback")
    assert "ok" in workplace.command("audit", "verify")


def test_an_answer_that_comes_after_its_callback_moves_nothing_and_is_told_as_late(
    workplace, zygote, told
):
    workplace.sandbox.faults.add("twilio", method="POST", delay=5)
    row = record(invoice("2", 75000, stamp="2026-11-20T12:00:00"))
    with served(workplace) as server:
        running = zygote.start(workplace, schema() + row + state("2026-11-20T12:00:00"))

        def sending():
            return workplace.query("SELECT id FROM messages WHERE state = 'sending'")

        ((message_id,),) = until(sending)
        assert server.status(SID, "delivered", message=message_id) == 204
        assert running.wait().code == 0
    found = workplace.query("SELECT state, sid FROM messages WHERE id = ?", message_id)
    assert found == [("delivered", SID)]
    assert [one["late"] for one in events(workplace, "message_accepted")] == [False, True]
    assert "ok" in workplace.command("audit", "verify")


def test_what_fits_no_message_is_kept_once(workplace, told):
    message_id, _ = told
    before = workplace.messages("state", "status", "sid")
    with served(workplace) as server:
        for _ in range(2):
            assert server.status(SID, "delivered") == 204
            assert server.status(SID, "failed", message="ZZZZZZZZ", ErrorCode="30007") == 204
            # Another SID than the message has.
            assert server.status(SID, "sent", message=message_id) == 204
            # A call cannot be what became of an SMS.
            assert server.status(CALL, "completed", message=message_id) == 204
    assert workplace.messages("state", "status", "sid") == before
    kept = [
        (one["sid"], one["status"], one["error_code"], one["message"])
        for one in events(workplace, "callback_unmatched")
    ]
    assert kept == [
        (SID, "delivered", None, None),
        (SID, "failed", "30007", "ZZZZZZZZ"),
        (SID, "sent", None, message_id),
        (CALL, "completed", None, message_id),
    ]
    assert "ok" in workplace.command("audit", "verify")


def test_forged_requests_change_nothing_and_learn_nothing(workplace, told):
    message_id, sid = told
    number = "SELECT count(*), max(hash) FROM audit_events"
    path, fields = f"/twilio/status?message={message_id}", {"MessageSid": sid}
    with served(workplace) as server:
        before = workplace.query(number)
        fields["MessageStatus"] = "delivered"
        forged = [
            server.twilio(path, fields, signature="x" * 28),
            server.twilio(path, fields, signature=""),
            server.twilio(path, fields, signature="\xe9"),
            server.twilio(path, fields, signed_url=server.url + path),
            server.twilio(path, fields, signed_url=f"https://evil.example.com{path}"),
            server.twilio(path, fields, signed_url=f"{PUBLIC}/twilio/status"),
            # Not what was signed, by whatever the request says of its host.
            server.twilio(
                path,
                fields,
                signed_url=f"https://evil.example.com{path}",
                headers={"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com"},
            ),
            server.twilio(path, {**fields, "AccountSid": "AC" + "0" * 32}),
            server.twilio(path, {**fields, "AccountSid": ["AC" + "0" * 32, "x"]}),
            server.twilio(path, {**fields, "AccountSid": []}),
        ]
        assert {(one.status_code, one.text) for one in forged} == {(403, "")}
        assert workplace.query(number) == before
        counted = server.metric("twilio_alerts_requests_total", about="status", result="forged")
        assert counted == len(forged)
    assert workplace.messages("state") == [("accepted",)]


def test_what_a_proxy_says_of_the_host_is_not_asked(workplace, told):
    message_id, sid = told
    path = f"/twilio/status?message={message_id}"
    headers = {"Host": "10.0.0.1:8080", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "inside"}
    with served(workplace) as server:
        fields = {"MessageSid": sid, "MessageStatus": "delivered"}
        assert server.twilio(path, fields, headers=headers).status_code == 204
    assert workplace.messages("state") == [("delivered",)]


def test_blank_and_repeated_fields_are_signed_too(workplace, told):
    message_id, sid = told
    fields = {
        "MessageSid": sid,
        "MessageStatus": "sent",
        "From": "",
        "Extra": ["b", "a", "å & ü"],
        "Word With Blanks": " x ",
    }
    with served(workplace) as server:
        answer = server.twilio(f"/twilio/status?message={message_id}&empty=&x=%C3%A5", fields)
        assert answer.status_code == 204
    assert workplace.messages("state") == [("sent",)]


@pytest.mark.parametrize("keeps_path", [True, False])
def test_a_public_url_with_a_path_is_reached_with_or_without_it(workplace, told, keeps_path):
    message_id, sid = told
    public, path = f"{PUBLIC}/alerts", f"/twilio/status?message={message_id}"
    with served(workplace, public_url=public) as server:
        asked = f"/alerts{path}" if keeps_path else path
        fields = {"MessageSid": sid, "MessageStatus": "sent"}
        assert server.twilio(asked, fields, signed_url=public + path).status_code == 204


def test_what_is_no_callback_is_refused(workplace, told):
    message_id, sid = told
    path = f"/twilio/status?message={message_id}"
    with served(workplace) as server:
        assert server.status("SM123", "sent", message=message_id) == 400
        assert server.status(sid, "DROP TABLE", message=message_id) == 400
        assert server.twilio(path, {"MessageSid": sid}).status_code == 400
        assert server.twilio(path, {"MessageSid": sid, "x": "y" * 70_000}).status_code == 413
        assert server.twilio(path, {f"f{n}": "x" for n in range(300)}).status_code == 400
        post = server.session.post
        assert post(server.url + path, json={"MessageSid": sid}, timeout=9).status_code == 415
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        wrong = post(server.url + path, data=b"a=%ff", headers=form, timeout=9)
        assert wrong.status_code == 400
        assert server.session.get(server.url + path, timeout=9).status_code == 405
    assert workplace.messages("state") == [("accepted",)]


def test_nothing_that_the_server_prints_gives_away_a_number(workplace, told):
    message_id, sid = told
    with served(workplace) as server:
        server.status(sid, "sent", message=message_id, To="+46701740605", From="+46701740600")
        server.status(sid, "?", message=message_id, To="+46701740605")
        server.status(SID, "failed", To="+46701740605", ErrorMessage="no: +46701740605")
    assert "701740605" not in "".join(server.log)
    kept = "".join(body for (body,) in workplace.query("SELECT body FROM audit_events"))
    assert "701740605" not in kept


def test_callbacks_that_cannot_be_written_are_to_come_again(workplace, told):
    message_id, sid = told
    with served(workplace) as server:
        workplace.query("ALTER TABLE chain_head RENAME TO chain_gone")
        assert server.status(sid, "delivered", message=message_id) == 503
        assert server.session.get(f"{server.url}/healthz", timeout=9).status_code == 503
        workplace.query("ALTER TABLE chain_gone RENAME TO chain_head")
        assert server.status(sid, "delivered", message=message_id) == 204
        assert server.session.get(f"{server.url}/healthz", timeout=9).json()["status"] == "ok"
    assert workplace.messages("state") == [("delivered",)]
