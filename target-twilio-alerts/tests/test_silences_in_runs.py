"""Silences within a run: they begin and end at their moment, not with the run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from desk import READ_WHOLE, STREAM
from singer import KEY, invoice

from target_twilio_alerts.ledger import silences
from target_twilio_alerts.ledger.silences import Silence
from target_twilio_alerts.ledger.tables import alerts, messages

START = datetime(2026, 11, 25, 10, tzinfo=timezone.utc)


def test_a_silence_covers_what_is_raised_from_its_first_moment_until_its_last(desk):
    begins, ends = START + timedelta(minutes=10), START + timedelta(minutes=20)
    with desk.ledger.write() as connection:
        silences.add(connection, Silence("S", "Anna", "audit", begins, ends, rule="rule"))
    now = START
    desk.clock = lambda: now
    intake = desk.open_intake()
    intake.begin_stream(STREAM)
    intake.state(READ_WHOLE)
    for minutes in (9, 10, 19, 20):
        now = START + timedelta(minutes=minutes)
        intake.add(STREAM, invoice(str(minutes), 75000), KEY, problem=None)
        intake.commit()
    intake.finish()
    intake.close()
    query = (
        sa.select(messages.c.state, messages.c.reason)
        .join(alerts, alerts.c.id == messages.c.alert_id)
        .order_by(messages.c.created_at)
    )
    silenced = ("suppressed", "silence S of Anna: audit")
    told = ("pending", None)
    assert [tuple(row) for row in desk.rows(query)] == [told, silenced, silenced, told]
