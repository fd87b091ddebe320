"""`retention`: what is older is erased at the end of the first run of each day."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from singer import baseline, invoice, record, schema, state

LARGE = schema() + record(invoice("1", 75000, stamp="2026-11-20T11:00:00")) + state("2026-11-20T11")


def years_pass(place, days):
    """Make all that is there so old; the trail is not asked."""
    old = datetime.now(timezone.utc) - timedelta(days=days)
    place.query("UPDATE messages SET created_at = ?", f"{old:%Y-%m-%dT%H:%M:%S.%fZ}")
    place.query("UPDATE alerts SET raised_at = ?", f"{old:%Y-%m-%dT%H:%M:%S.%fZ}")


@pytest.fixture
def old(workplace, zygote):
    zygote.run(workplace, baseline())
    zygote.run(workplace, LARGE)
    years_pass(workplace, 402)
    return workplace


def addresses(place):
    return [address for (address,) in place.query("SELECT address FROM message_contents")]


def test_the_end_of_a_run_erases_what_is_older(old, zygote):
    old.config["retention"] = "400d"
    log = zygote.run(old, schema() + state()).stderr
    assert "Erased by retention, older than 400 days: 1 messages, what 1 alerts say" in log
    assert addresses(old) == [""]
    [(body,)] = old.query("SELECT body FROM audit_events WHERE kind = 'erased'")
    told = json.loads(body)
    assert (told["operator"], told["reason"]) == ("retention", "older than 400 days (retention)")
    assert b"+46701740605" not in old.ledger_path.read_bytes()


def test_what_is_younger_stays(old, zygote):
    old.config["retention"] = "58w"
    zygote.run(old, schema() + state())
    assert addresses(old) == ["+46701740605"]


def test_without_it_nothing_is_erased(old, zygote):
    zygote.run(old, schema() + state())
    assert addresses(old) == ["+46701740605"]


def test_it_is_done_once_a_day_and_again_when_the_setting_changes(old, zygote):
    old.config["retention"] = "420d"
    zygote.run(old, schema() + state())
    years_pass(old, 430)
    zygote.run(old, schema() + state())
    assert addresses(old) == ["+46701740605"]
    old.config["retention"] = "410d"
    old.command("deliver")
    assert addresses(old) == [""]


def test_a_run_that_fails_erases_nothing(old, zygote):
    old.config["retention"] = "400d"
    zygote.run(old, "this is not JSON\n", code=2)
    assert addresses(old) == ["+46701740605"]


@pytest.mark.parametrize("wrong", ["400", "1d", "0d", "a year", "400h"])
def test_a_span_that_is_none_or_too_short_is_refused(workplace, zygote, wrong):
    workplace.config["retention"] = wrong
    ended = zygote.run(workplace, baseline(), code=2)
    assert f"retention: {wrong} is no span of 7 days or more; write it as in 400d" in ended.stderr
