from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH

from target_twilio_alerts.ledger import MessageState, outbox, runs
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.ledger.tables import messages
from target_twilio_alerts.ledger.tables import runs as runs_table

pytestmark = ON_BOTH


def _message(name, *, rank=1, channel="sms"):
    return NewMessage(
        id=name,
        alert_id=None,
        recipient="ap-manager",
        channel=channel,
        address="+46701740605",
        subject=None,
        text="text",
        html=None,
        salt="salt",
        template="built-in",
        locale="en",
        encoding="GSM-7",
        segments=1,
        severity_rank=rank,
    )


def _add(ledger, run, *new, at=None):
    with ledger.write() as connection:
        for message in new:
            outbox.add(connection, message, at=at or runs.utc_now(), run_id=run.id)


def _claim(ledger, run, *, at=None, limit=10, channels=("sms", "email")):
    with ledger.write() as connection:
        return outbox.claim(
            connection,
            at=at or runs.utc_now(),
            run_id=run.id,
            limit=limit,
            channels=channels,
        )


def _state(ledger, name):
    with ledger.read() as connection:
        return connection.execute(
            sa.select(messages.c.state).where(messages.c.id == name),
        ).scalar()


def _dead_run(ledger):
    """A run whose process has ended without saying so."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    run = runs.start(ledger, command="test", version="0", body={})
    with ledger.write() as connection:
        connection.execute(
            sa.update(runs_table).where(runs_table.c.id == run.id).values(pid=process.pid),
        )
    return run


def test_the_most_severe_goes_first_then_the_oldest(ledger, run):
    now = runs.utc_now()
    _add(ledger, run, _message("OLD-LOW", rank=1), at=now - timedelta(hours=2))
    _add(ledger, run, _message("NEW-HIGH", rank=3), at=now - timedelta(minutes=1))
    _add(ledger, run, _message("OLD-HIGH", rank=3), at=now - timedelta(hours=1))
    assert [m.id for m in _claim(ledger, run)] == ["OLD-HIGH", "NEW-HIGH", "OLD-LOW"]


def test_a_claimed_message_is_nobody_elses(ledger, run):
    _add(ledger, run, _message("A"))
    assert [m.id for m in _claim(ledger, run)] == ["A"]
    assert _claim(ledger, run) == []


def test_many_workers_claim_each_message_once(ledger, run):
    _add(ledger, run, *[_message(f"M{number}") for number in range(60)])
    claimed, errors = [], []

    def work():
        try:
            while got := _claim(ledger, run, limit=3):
                claimed.extend(message.id for message in got)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert sorted(claimed) == sorted(f"M{number}" for number in range(60))


def test_a_channel_that_cannot_be_used_keeps_its_messages(ledger, run):
    _add(ledger, run, _message("A", channel="email"))
    assert _claim(ledger, run, channels=["sms"]) == []
    assert _state(ledger, "A") == "pending"


def test_a_claim_expires_while_the_call_has_not_begun(ledger, run):
    _add(ledger, run, _message("A"))
    (first,) = _claim(ledger, run)
    later = runs.utc_now() + timedelta(seconds=outbox.CLAIM_SECONDS + 1)
    (second,) = _claim(ledger, run, at=later)
    with ledger.write() as connection:
        lost = outbox.move(
            connection,
            first,
            before=[MessageState.CLAIMED],
            at=later,
            state=MessageState.SENDING,
        )
        kept = outbox.move(
            connection,
            second,
            before=[MessageState.CLAIMED],
            at=later,
            state=MessageState.SENDING,
        )
    assert (lost, kept) == (False, True)


def test_a_message_being_handed_over_is_never_claimed_again(ledger, run):
    _add(ledger, run, _message("A"))
    (message,) = _claim(ledger, run)
    now = runs.utc_now()
    with ledger.write() as connection:
        outbox.move(
            connection,
            message,
            before=[MessageState.CLAIMED],
            at=now,
            state=MessageState.SENDING,
            sending_at=now,
        )
    assert _claim(ledger, run, at=now + timedelta(days=30)) == []


@pytest.mark.parametrize(
    ("state", "after"),
    [(MessageState.CLAIMED, "pending"), (MessageState.SENDING, "unknown")],
)
def test_what_a_dead_process_held_is_freed_or_shown_as_unknown(ledger, run, state, after):
    dead = _dead_run(ledger)
    _add(ledger, run, _message("A"))
    (message,) = _claim(ledger, dead)
    now = runs.utc_now()
    with ledger.write() as connection:
        outbox.move(
            connection,
            message,
            before=[MessageState.CLAIMED],
            at=now,
            state=state,
            sending_at=now,
        )
        lost = outbox.recover(connection, at=now)
    assert _state(ledger, "A") == after
    assert lost == (["A"] if after == "unknown" else [])


def test_what_a_living_process_holds_is_left_alone_until_it_outlives_its_timeouts(ledger, run):
    _add(ledger, run, _message("A"))
    (message,) = _claim(ledger, run)
    now = runs.utc_now()
    with ledger.write() as connection:
        outbox.move(
            connection,
            message,
            before=[MessageState.CLAIMED],
            at=now,
            state=MessageState.SENDING,
            sending_at=now,
        )
        assert outbox.recover(connection, at=now) == []
        outlived = now + timedelta(seconds=outbox.ABANDONED_SECONDS + 1)
        assert outbox.recover(connection, at=outlived) == ["A"]


def test_a_postponed_message_waits_for_its_time(ledger, run):
    _add(ledger, run, _message("A"))
    (message,) = _claim(ledger, run)
    now = runs.utc_now()
    with ledger.write() as connection:
        outbox.move(
            connection,
            message,
            before=[MessageState.CLAIMED],
            at=now,
            state=MessageState.PENDING,
            claim_token=None,
            not_before=now + timedelta(seconds=20),
        )
        assert outbox.next_due(connection, channels=["sms"]) == now + timedelta(seconds=20)
    assert _claim(ledger, run, at=now) == []
    assert len(_claim(ledger, run, at=now + timedelta(seconds=21))) == 1
