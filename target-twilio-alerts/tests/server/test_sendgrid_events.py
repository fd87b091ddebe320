"""SendGrid's events: signed with a key of our own, over real HTTP."""

from __future__ import annotations

import base64
import json
import random
import time
from itertools import permutations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ledgers import ON_BOTH
from office import Office
from serving import served
from singer import invoice

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
PUBLIC_KEY = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


@pytest.fixture
def office(workplace):
    return Office(workplace)


@pytest.fixture
def emailed(office):
    """Emails that SendGrid has taken: the id and sid of each."""

    def send(number):
        people = {f"p{n}": {"email": f"p{n}@example.com"} for n in range(number)}
        office.people(via="email", **people)
        office.alert(invoice("1", 75000, stamp="2026-11-20T11:00:00"))
        office.run("deliver")
        return office.workplace.messages("messages.id", "sid")

    return send


def event(message_id, sid, name, number, **more):
    return {
        "event": name,
        "email": "p0@example.com",
        "timestamp": 1795600000,
        "sg_event_id": f"event-{message_id}-{number}",
        "sg_message_id": f"{sid}.recvd-5f54b5d587-58nbl-1-6A2B.0",
        "message_id": message_id,
        **more,
    }


def post(server, events, *, key=KEY, age=0, body=None, signature=None, stamp=None):
    body = json.dumps(events).encode() if body is None else body
    stamp = str(int(time.time()) - age) if stamp is None else stamp
    if signature is None:
        signed = key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
        signature = base64.b64encode(signed).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }
    url = f"{server.url}/sendgrid/events"
    return server.session.post(url, data=body, headers=headers, timeout=30).status_code


def ends(office):
    return office.workplace.messages("state", "status", "error_code")


COURSES = {
    ("processed", "deferred", "delivered"): ("delivered", "delivered", None),
    ("processed", "delivered", "bounce"): ("undelivered", "bounce", "5.1.1"),
    ("processed", "bounce"): ("undelivered", "bounce", "5.1.1"),
    ("dropped",): ("failed", "dropped", "dropped"),
    ("processed", "deferred", "open", "click"): ("accepted", "deferred", None),
}
BOUNCED = {"status": "5.1.1", "reason": "550 5.1.1 <p0@example.com> no such user, +46701740605"}


@ON_BOTH
def test_an_email_ends_as_it_ended_whatever_the_order_and_number_of_its_events(office, emailed):
    orders = [(course, order) for course in COURSES for order in permutations(course)]
    sent = emailed(len(orders))
    told = []
    for (message_id, sid), (_, order) in zip(sent, orders, strict=True):
        for number, name in enumerate([*order, order[0]]):
            more = BOUNCED if name == "bounce" else {}
            told.append(event(message_id, sid, name, number % len(order), **more))
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        for start in range(0, len(told), 7):
            assert post(server, told[start : start + 7]) == 204
        # All of them again, as from another of SendGrid's machines.
        before = office.workplace.query("SELECT max(seq) FROM audit_events")
        random.Random(3).shuffle(told)
        assert post(server, told) == 204
        assert office.workplace.query("SELECT max(seq) FROM audit_events") == before
    assert ends(office) == [COURSES[course] for course, _ in orders]
    office.run("audit", "verify")
    kept = str(office.workplace.query("SELECT body FROM audit_events"))
    assert "p0@example.com" not in kept
    assert "701740605" not in kept


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("550 " + "x" * 500_000, "550"),
        ("x" * 500_000, "x" * 1000),
        ("550 " * 248 + "to p0@example.com: " + "no " * 9000, "550 " * 248 + "to"),
        ("550 " * 246 + "p0@example.com: " + "no " * 9000, "550 " * 246 + "p***@example.com:"),
    ],
)
def test_of_a_long_reason_the_beginning_is_kept(office, emailed, reason, kept):
    ((message_id, sid),) = emailed(1)
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        bounced = event(message_id, sid, "bounce", 1, status="5.1.1", reason=reason)
        assert post(server, [bounced]) == 204
    assert ends(office) == [("undelivered", "bounce", "5.1.1")]
    assert office.workplace.messages("error_message") == [(kept,)]
    office.run("audit", "verify")


@ON_BOTH
@pytest.mark.parametrize("name", [None, "", 5, ["x"]])
def test_an_event_without_a_name_of_its_own_is_taken_however_often_it_comes(office, emailed, name):
    ((message_id, sid),) = emailed(1)
    bounced = {**event(message_id, sid, "bounce", 1, **BOUNCED), "sg_event_id": name}
    if name is None:
        del bounced["sg_event_id"]
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        for told in ([bounced], [bounced, bounced]):
            assert post(server, told) == 204
    assert ends(office) == [COURSES["processed", "bounce"]]
    kept = "SELECT count(*) FROM audit_events WHERE kind = 'message_status'"
    assert office.workplace.query(kept) == [(1,)]
    office.run("audit", "verify")


@ON_BOTH
@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        (rb"550 a\u0000b", "550 ab"),
        (rb"550 \ud83d!", "550 ?!"),
        (rb"550 \ud83d\ude00", "550 \N{GRINNING FACE}"),
        (b"550 \xe5\xff", "550 \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_an_odd_character_in_a_reason_keeps_no_event_of_its_post_from_being_taken(
    office, emailed, reason, kept
):
    (first, first_sid), (second, second_sid) = emailed(2)
    told = [
        event(first, first_sid, "delivered", 1),
        event(second, second_sid, "bounce", 1, status="5.1.1", reason="REASON", x=["\ud800", 5]),
    ]
    body = json.dumps(told).encode().replace(b"REASON", reason)
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        assert post(server, None, body=body) == 204
    found = office.workplace.messages("state", "error_message")
    assert sorted(found, key=str) == [("delivered", None), ("undelivered", kept)]
    office.run("audit", "verify")


def test_an_email_whose_answer_was_lost_is_settled(office, emailed):
    ((message_id, sid),) = emailed(1)
    office.workplace.query("UPDATE messages SET state = 'unknown', sid = NULL, accepted_at = NULL")
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        assert post(server, [event(message_id, sid, "delivered", 1)]) == 204
    assert office.workplace.messages("state", "sid") == [("delivered", sid)]
    office.run("audit", "verify")


def test_what_is_forged_old_or_no_list_of_events_changes_nothing(office, emailed):
    ((message_id, sid),) = emailed(1)
    told = [event(message_id, sid, "delivered", 1)]
    trail = "SELECT max(seq) FROM audit_events"
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        before = office.workplace.query(trail)
        assert post(server, told, key=OTHER) == 403
        assert post(server, told, age=26 * 3600) == 403
        assert post(server, told, age=-600) == 403
        assert post(server, told, stamp="soon") == 403
        assert post(server, told, signature="") == 403
        assert post(server, told, signature="not base64") == 403
        assert post(server, told, signature=base64.b64encode(b"no DER").decode()) == 403
        assert post(server, told, body=b"not JSON") == 400
        assert post(server, {"event": "delivered"}) == 400
        assert post(server, [1, 2]) == 400
        assert post(server, None, body=b"[" * 100_000) == 400
        assert post(server, None, body=b" " * (4 * 1024 * 1024 + 1)) == 413
        assert office.workplace.query(trail) == before
    assert ends(office) == [("accepted", None, None)]


def test_what_is_not_ours_is_left_alone_and_what_ours_is_no_more_is_kept(office, emailed):
    ((message_id, sid),) = emailed(1)
    gone = "ZZZZZZZZ"
    others = [
        {**event(message_id, sid, "delivered", 1), "message_id": None},
        {**event(message_id, sid, "delivered", 2), "message_id": "another-application-1"},
        {**event(message_id, sid, "delivered", 3), "sg_message_id": f"{sid}\0"},
        {**event(message_id, sid, "delivered", 3), "sg_message_id": "\ud800"},
        {**event(message_id, sid, "delivered", 3), "sg_message_id": ".recvd"},
        {**event(message_id, sid, "delivered", 3), "event": ["delivered"]},
        {"event": "group_unsubscribe"},
        event(gone, "of-another-ledger", "delivered", 4),
        event(message_id, "another", "delivered", 5),
    ]
    with served(office.workplace, sendgrid_webhook_key=PUBLIC_KEY) as server:
        assert post(server, others) == 204
    assert ends(office) == [("accepted", None, None)]
    kept = "SELECT body FROM audit_events WHERE kind = 'callback_unmatched' ORDER BY seq"
    found = [json.loads(body) for (body,) in office.workplace.query(kept)]
    assert [(one["message"], one["sid"]) for one in found] == [
        (gone, "of-another-ledger"),
        (message_id, "another"),
    ]
