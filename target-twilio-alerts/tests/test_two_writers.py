"""Two who write to one ledger at once: what is told, is told once, and nobody waits in a circle."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from desk import READ_WHOLE, STREAM, Desk
from ledgers import ON_BOTH, check_chain, deadlocks
from singer import KEY, invoice

from target_twilio_alerts.ledger import (
    Event,
    Ledger,
    MessageState,
    escalations,
    events,
    opt_outs,
    runs,
    told,
)
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.opt_outs import OptOut
from target_twilio_alerts.ledger.tables import (
    alerts,
    audit_events,
    digest_contents,
    documents,
    message_contents,
    messages,
)
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.messages.kinds import BRAKE_SUMMARY
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts

pytestmark = ON_BOTH

START = datetime(2026, 11, 25, 10, tzinfo=timezone.utc)
EARLY, LATE = "2026-11-21T09:00:00", "2026-11-21T10:00:00"
OTHER_STREAM = "customer_invoices"


@pytest.fixture
def pair(tmp_path, database):
    """Two desks with one alerts file and one ledger."""
    both = [Desk(tmp_path, database) for _ in range(2)]
    for desk in both:
        desk.clock = lambda: START
    yield both
    for desk in both:
        desk.ledger.close()
    check_chain(database)
    assert deadlocks(database) == 0


def at_once(*tasks):
    """Do all this at the same time; gives what it gave."""
    ready = threading.Barrier(len(tasks))

    def do(task):
        ready.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [one.result() for one in [pool.submit(do, task) for task in tasks]]


def count(desk, *conditions, what=messages):
    ((number,),) = desk.rows(sa.select(sa.func.count()).select_from(what).where(*conditions))
    return number


def test_a_worker_that_lags_behind_with_an_older_version_raises_nothing(pair):
    ahead, behind = pair
    ahead.read(invoice("1", 10, stamp=EARLY))
    slow = behind.open_intake()
    slow.add(STREAM, invoice("1", 75000, stamp=EARLY, timeStamp="AAAAAAAAB9E="), KEY, problem=None)
    ahead.read(invoice("1", 20, stamp=LATE))
    slow.finish()
    slow.close()
    assert dict(slow.outcomes) == {("rule", "stale"): 1}
    assert ahead.rows(sa.select(documents.c.ordinal, documents.c.stamp)) == [(2, LATE)]
    assert count(ahead, what=alerts) == 0


def test_records_in_any_order_raise_each_alert_once(pair):
    """Groups of both streams, in orders of their own: each waits for the other now and then."""
    numbers = [f"n{number}" for number in range(60)]

    def read(desk, seed):
        rows = [(stream, number) for stream in (STREAM, OTHER_STREAM) for number in numbers]
        random.Random(seed).shuffle(rows)
        intake = desk.open_intake()
        for place, (stream, number) in enumerate(rows):
            intake.add(stream, invoice(number, 75000, stamp=LATE), KEY, problem=None)
            if place % 7 == 0:
                intake.commit()
        intake.finish()
        intake.close()
        return intake.counts["alerts"]

    raised = at_once(*[lambda one=one, seed=seed: read(one, seed) for seed, one in enumerate(pair)])
    assert sum(raised) == len(numbers)
    assert count(pair[0], what=alerts) == count(pair[0]) == len(numbers)
    assert count(pair[0], what=documents) == 2 * len(numbers)


def test_what_the_clock_makes_true_is_told_once(pair):
    one = pair[0]
    one.rule("due_date <= today", once_per="document")
    one.read(*[invoice(str(number), 1, dueDate="2026-11-27T00:00:00") for number in range(20)])
    opened = []
    for desk in pair:
        desk.clock = lambda: START + timedelta(days=2)
        opened.append(desk.open_intake())
    at_once(*[intake.finish for intake in opened])
    for intake in opened:
        intake.close()
    assert sum(intake.counts["alerts"] for intake in opened) == count(one, what=alerts) == 20
    assert sum(intake.counts["alerts told already"] for intake in opened) == 0


def test_a_limit_is_one_for_all(pair):
    pair[0].rule("amount > 50000", file={"limits": {"per_rule": 10}})

    def read(desk, name):
        return lambda: desk.read(*[invoice(f"{name}{n}", 75000) for n in range(10)])

    at_once(read(pair[0], "a"), read(pair[1], "b"))
    held = messages.c.state == MessageState.SUPPRESSED.value
    assert (count(pair[0]), count(pair[0], held)) == (20, 10)


def test_once_per_day_is_once(pair):
    pair[0].rule("amount > 50000", once_per="day")

    def read(desk, name):
        return lambda: desk.read(*[invoice(f"{name}{n}", 75000) for n in range(10)])

    raised = at_once(read(pair[0], "a"), read(pair[1], "b"))
    assert sorted(map(len, raised)) == [0, 1]
    assert count(pair[0], what=alerts) == 1


def test_a_new_rule_begins_one_epoch(pair):
    pair[0].rule("amount > 70000")
    opened = at_once(*[desk.open_intake for desk in pair])
    for intake in opened:
        intake.close()
    query = sa.text("SELECT epoch FROM rule_epochs ORDER BY epoch")
    assert pair[0].rows(query) == [(1,), (2,)]


def test_partitions_that_are_read_whole_are_told_of_once(pair):
    def read(desk):
        intake = desk.open_intake()
        intake.begin_stream(OTHER_STREAM)
        (partition,) = READ_WHOLE["bookmarks"][STREAM]["partitions"]
        intake.state({"bookmarks": {OTHER_STREAM: {"partitions": [partition]}}})
        intake.finish()
        intake.close()

    at_once(*[lambda desk=desk: read(desk) for desk in pair])
    query = sa.text("SELECT count(*) FROM audit_events WHERE kind = 'baseline_completed'")
    assert pair[0].rows(query) == [(2,)]


@pytest.fixture
def follow_up(pair, database):
    """Two who write what follows, at once and at a time after the start."""

    def take(**after):
        ledgers = [Ledger(database) for _ in pair]
        file = load_alerts(pair[0].file)
        both = [
            FollowUp(
                ledger,
                file,
                Messages(None),
                run=runs.start(ledger, command="deliver", version="0", body={}),
                clock=lambda: START + timedelta(**after),
            )
            for ledger in ledgers
        ]
        written = at_once(*[one.take for one in both])
        for ledger in ledgers:
            ledger.close()
        return sorted(written)

    return take


def test_a_digest_is_told_once(pair, follow_up):
    digest = {"daily": "16:30"}
    pair[0].rule("amount > 50000", digest=digest, via="email", notify=["ap", "cfo"])
    pair[0].read(*[invoice(str(number), 75000) for number in range(10)])
    assert follow_up(hours=6) == [0, 2]
    assert count(pair[0], what=digest_contents) == 20


def test_a_step_is_taken_once(pair, follow_up):
    escalate = [{"after": "15m", "notify": "cfo", "via": "sms"}]
    pair[0].rule("amount > 50000", escalate=escalate)
    pair[0].read(*[invoice(str(number), 75000) for number in range(10)])
    assert follow_up(minutes=20) == [0, 10]


def test_what_is_acknowledged_is_escalated_no_further(pair, follow_up):
    escalate = [{"after": "15m", "notify": "cfo", "via": "sms"}]
    pair[0].rule("amount > 50000", escalate=escalate)
    pair[0].read(*[invoice(str(number), 75000) for number in range(20)])
    ids = [one for (one,) in pair[0].rows(sa.select(alerts.c.id))]

    def acknowledge():
        for alert_id in ids:
            with pair[0].ledger.write() as connection:
                made = Acknowledgement(alert_id, START, "Anna", "command line", None)
                assert escalations.acknowledge(connection, made)
                event = Event("alert_acknowledged", alert_id=alert_id)
                events.append(connection, [event], at=START, run_id=None)

    at_once(acknowledge, lambda: follow_up(minutes=20))
    table = audit_events.c
    kinds = ["alert_acknowledged", "escalation_taken"]
    trail = sa.select(table.alert_id, table.kind).where(table.kind.in_(kinds)).order_by(table.seq)
    steps = {alert_id: [] for alert_id in ids}
    for alert_id, kind in pair[0].rows(trail):
        steps[alert_id].append(kind)
    for kinds in steps.values():
        assert kinds in (["alert_acknowledged"], ["escalation_taken", "alert_acknowledged"])


def test_somebody_who_opted_out_is_told_by_the_other_channel_once(pair, follow_up):
    pair[0].rule("amount > 50000", fallback="email")
    pair[0].read(invoice("1", 75000))
    with pair[0].ledger.write() as connection:
        refused = {"state": "rejected", "error_code": "21610", "updated_at": START}
        connection.execute(sa.update(messages).values(refused))
        (told_to,) = connection.execute(sa.select(message_contents)).all()
        address = opt_outs.hash_of("sms", told_to.address)
        known = OptOut("sms", address, START, told_to.message_id, "error 21610")
        assert opt_outs.add(connection, known)
    assert follow_up(minutes=1) == [0, 1]


def test_what_is_held_is_summarised_once_and_released_once(pair, follow_up):
    limits = {"per_rule": 2, "notify": "cfo", "via": "email"}
    pair[0].rule("amount > 50000", file={"limits": limits})
    pair[0].read(*[invoice(str(number), 75000) for number in range(12)])
    assert follow_up(minutes=1) == [0, 1]
    assert count(pair[0], messages.c.template == BRAKE_SUMMARY) == 1

    def release(desk):
        with desk.ledger.write() as connection:
            ids = told.held(connection, rule=None, ids=None)
            return sum(told.release(connection, one, at=START) is not None for one in ids)

    released = at_once(*[lambda desk=desk: release(desk) for desk in pair])
    assert sum(released) == 10
