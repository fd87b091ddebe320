"""Callbacks in any order, doubled, late and forged: the ledger ends as if it had been polled."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import ON_BOTH, check_chain
from serving import served

from target_twilio_alerts.audit.verify import verify
from target_twilio_alerts.delivery.callbacks import Callback
from target_twilio_alerts.delivery.channels import StatusReport
from target_twilio_alerts.delivery.status import apply_report
from target_twilio_alerts.ledger import Event, Ledger, MessageState, events, outbox, runs, tables
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.notify.compose import created_event
from target_twilio_alerts.server.inbox import Inbox
from target_twilio_alerts.server.status import CALLS, MESSAGES

CODES = (21610, 30003, 30004, 30005, 30006, 30007, 30008)
BEGUN = ("queued", "sending")
COURSES = {
    "sms": [
        [*BEGUN, "sent", "delivered"],
        [*BEGUN, "sent"],
        ["accepted", *BEGUN],
        *([*BEGUN, "sent", ("undelivered", code)] for code in CODES),
        *(["queued", ("failed", code)] for code in CODES),
        [*BEGUN, "sent", "undelivered"],
        ["queued", "failed"],
        *([*BEGUN, "sent", "undelivered", ("undelivered", code)] for code in CODES),
        *(["queued", "failed", ("failed", code)] for code in CODES),
    ],
    "whatsapp": [
        [*BEGUN, "sent", "delivered", "read"],
        [*BEGUN, ("failed", 63016)],
        [*BEGUN, "sent", ("undelivered", 21610)],
        [*BEGUN, "sent", "undelivered"],
        [*BEGUN, "failed", ("failed", 63016)],
    ],
    "voice": [
        ["queued", "ringing", "in-progress", "completed"],
        ["queued", "ringing", "no-answer"],
        ["queued", "ringing", "busy"],
        ["queued", "failed"],
        ["queued", "canceled"],
    ],
}
BEFORE = (MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.SENDING)
courses = st.sampled_from([(channel, one) for channel in COURSES for one in COURSES[channel]])
NUMBERS = count(46700000000)


def report(step):
    status, code = step if isinstance(step, tuple) else (step, None)
    return StatusReport(status, code)


def sid_of(channel, message_id):
    return ("CA" if channel == "voice" else "SM") + message_id.encode().hex() * 2


def written(ledger, run, channel, before):
    """A message that waits for its statuses; gives its id."""
    message = NewMessage(
        id=short_id(),
        alert_id=None,
        recipient="anna",
        channel=channel,
        address=f"+{next(NUMBERS)}",
        subject=None,
        text="x",
        html=None,
        salt="0" * 32,
        template="t",
        locale="en",
        encoding=None,
        segments=None,
        severity_rank=1,
    )
    now = runs.utc_now()
    taken = {"sid": sid_of(channel, message.id), "status": "queued", "accepted_at": now}
    with ledger.write() as connection:
        outbox.add(connection, message, at=now, run_id=run.id)
        connection.execute(
            sa.update(tables.messages)
            .where(tables.messages.c.id == message.id)
            .values(state=before.value, **(taken if before is MessageState.ACCEPTED else {})),
        )
        told = [created_event(message)]
        if before is MessageState.UNKNOWN:
            connection.execute(
                sa.update(tables.messages)
                .where(tables.messages.c.id == message.id)
                .values(reason="lost")
            )
            body = {"reason": "lost", "late": False}
            told.append(Event("message_unknown", body, message_id=message.id))
        events.append(connection, told, at=now, run_id=run.id)
    return message.id


def ends(ledger, ids):
    """How messages stand, in the order of these ids, and whose recipients have opted out."""
    table, opted = tables.messages.c, tables.opt_outs.c
    columns = (table.state, table.status, table.error_code, table.sid.is_not(None))
    with ledger.read() as connection:
        rows = connection.execute(sa.select(table.id, *columns).where(table.id.in_(ids)))
        found = {row[0]: tuple(row[1:]) for row in rows}
        out = set(connection.execute(sa.select(opted.message_id)).scalars())
    return [(*found[one], one in out) for one in ids]


@pytest.fixture
def begun(database):
    ledger = Ledger(database)
    yield ledger, runs.start(ledger, command="test", version="0", body={})
    ledger.close()


def polled(ledger, run, channel, course):
    """A message of which only its last status was heard, by asking for it."""
    message_id = written(ledger, run, channel, MessageState.ACCEPTED)
    with ledger.read() as connection:
        query = sa.select(tables.messages).where(tables.messages.c.id == message_id)
        row = connection.execute(query).one()
    apply_report(ledger, row, report(course[-1]), run=run)
    return message_id


@ON_BOTH
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_in_any_order_and_number_callbacks_end_as_polling_does(begun, data):
    ledger, run = begun
    drawn = data.draw(
        st.lists(st.tuples(courses, st.sampled_from(BEFORE)), min_size=1, max_size=4), "messages"
    )
    heard, by_callback, by_polling = [], [], []
    for (channel, course), before in drawn:
        message_id = written(ledger, run, channel, before)
        by_callback.append(message_id)
        by_polling.append(polled(ledger, run, channel, course))
        # The last one comes; any of the others may be lost, or come again.
        others = data.draw(st.lists(st.sampled_from(course), max_size=6), "heard")
        families = {"channels": CALLS if channel == "voice" else MESSAGES, "message_id": message_id}
        sid = sid_of(channel, message_id)
        heard += [
            Callback(sid=sid, report=report(one), **families) for one in [course[-1], *others]
        ]
    heard = data.draw(st.permutations(heard), "order")
    inbox = Inbox(ledger, run)
    while heard:
        size = data.draw(st.integers(1, len(heard)), "at once")
        inbox._take(heard[:size])
        heard = heard[size:]
    assert ends(ledger, by_callback) == ends(ledger, by_polling)


def test_the_trail_of_callbacks_can_be_held_against_them(begun):
    ledger, run = begun
    rng = random.Random(5)
    inbox = Inbox(ledger, run)
    for channel, all_of_it in COURSES.items():
        for course in all_of_it:
            message_id = written(ledger, run, channel, MessageState.UNKNOWN)
            family = CALLS if channel == "voice" else MESSAGES
            one = partial(Callback, family, sid_of(channel, message_id), message_id=message_id)
            heard = [one(report(step)) for step in [*course, *course]]
            rng.shuffle(heard)
            inbox._take(heard)
    assert verify(ledger).fault is None
    check_chain(str(ledger.url.render_as_string(hide_password=False)))


@ON_BOTH
def test_over_http_forged_ones_between_change_nothing(workplace):
    ledger = Ledger(workplace.config["ledger_url"])
    run = runs.start(ledger, command="test", version="0", body={})
    rng = random.Random(7)
    every = [(channel, course) for channel in COURSES for course in COURSES[channel]]
    by_polling = [polled(ledger, run, *one) for one in every]
    by_callback, wanted = [], []
    for number, (channel, course) in enumerate(every):
        message_id = written(ledger, run, channel, BEFORE[number % len(BEFORE)])
        by_callback.append(message_id)
        wanted += [(message_id, channel, one, False) for one in [*course, course[-1]]]
        wanted += [(message_id, channel, one, True) for one in ("delivered", ("failed", 21610))]
    rng.shuffle(wanted)

    def post(one):
        message_id, channel, step, is_forged = one
        told = report(step)
        names = ("CallSid", "CallStatus") if channel == "voice" else ("MessageSid", "MessageStatus")
        fields = {names[0]: sid_of(channel, message_id), names[1]: told.status}
        if told.error_code:
            fields["ErrorCode"] = str(told.error_code)
        path = f"/twilio/status?message={message_id}"
        signed_url = "https://evil.example.com" if is_forged else None
        answer = server.twilio(path, fields, signed_url=signed_url)
        assert answer.status_code == (403 if is_forged else 204)

    with served(workplace) as server, ThreadPoolExecutor(8) as threads:
        list(threads.map(post, wanted))
    assert ends(ledger, by_callback) == ends(ledger, by_polling)
    check_chain(workplace.config["ledger_url"])
    ledger.close()
