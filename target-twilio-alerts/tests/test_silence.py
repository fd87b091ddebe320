"""While the tap is slow or silent, alerts and STATE leave; a signal ends it in order."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest
from ledgers import ON_BOTH
from singer import baseline, invoice, record, schema, state
from waiting import until

LATER = "2026-11-20T11:00:00"
SILENCE_SECONDS = 30


@contextmanager
def running(workplace, lines):
    """A target whose standard input stays open; it has taken these lines in."""
    with workplace.start() as process:
        write(process, lines)
        assert read_state(process)
        yield process
        if process.poll() is None:
            process.stdin.close()
            process.wait(timeout=30)


def write(process, lines):
    process.stdin.write(lines.encode())
    process.stdin.flush()


def read_state(process):
    """The next STATE; it must come, though standard input is open and silent."""
    ready, _, _ = select.select([process.stdout], [], [], 20)
    assert ready, "no STATE came"
    return json.loads(process.stdout.readline())["bookmarks"]


def test_an_alert_leaves_within_two_seconds_though_the_tap_is_then_silent_for_thirty(workplace):
    with running(workplace, baseline()) as process:
        for number in range(3):
            written = time.monotonic()
            write(process, record(invoice(str(number), 75000, stamp=LATER)))
            until(lambda: len(workplace.accepted) > number)  # noqa: B023 - used at once
            assert time.monotonic() - written < 2
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=SILENCE_SECONDS)
        assert len(workplace.accepted) == 3
    assert process.returncode == 0
    assert len(workplace.accepted) == 3


def test_a_malformed_record_that_comes_first_does_not_hold_its_alert_back(workplace):
    with running(workplace, baseline()) as process:
        written = time.monotonic()
        write(process, record(invoice("1", 75000, stamp=LATER, hold="yes")))
        until(lambda: len(workplace.accepted) == 1)
        assert time.monotonic() - written < 2


@ON_BOTH
def test_state_leaves_on_each_state_message_while_the_input_stays_open(workplace):
    with running(workplace, baseline()) as process:
        for hour in (11, 12, 13):
            stamp = f"2026-11-20T{hour}:00:00"
            write(process, record(invoice(str(hour), 75000, stamp=stamp)) + state(stamp))
            (partition,) = read_state(process)["supplier_invoices"]["partitions"]
            assert partition["replication_key_value"] == stamp
            assert number_of_alerts(workplace) == hour - 10
        assert process.poll() is None
    assert process.returncode == 0


def number_of_alerts(workplace):
    ((number,),) = workplace.query("SELECT count(*) FROM alerts")
    return number


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_while_the_input_is_open_commits_what_was_read(workplace, name):
    with running(workplace, baseline()) as process:
        # A line without its end: it was never read.
        unfinished = record(invoice("3", 75000, stamp=LATER))[:-10]
        last = state(LATER)
        write(process, record(invoice("1", 10, stamp=LATER)) + last + unfinished)
        assert read_state(process)
        number = signal.Signals[name]
        process.send_signal(number)
        process.wait(timeout=30)
        told = process.stderr.read().decode()
    assert process.returncode == 128 + number
    (error,) = [line for line in told.splitlines() if "ERROR" in line]
    assert error.endswith(f"Interrupted by {name}: what was read is committed")
    assert "Traceback" not in told
    assert "interrupted" in workplace.command("audit", "runs")

    workplace.run(
        state(LATER) + schema() + record(invoice("1", 75000, stamp="2026-11-20T12:00:00"))
    )
    (message,) = workplace.accepted
    assert "75,000.00" in message.body


def test_an_alert_committed_before_the_signal_leaves_at_latest_in_the_next_run(workplace):
    with running(workplace, baseline()) as process:
        write(process, record(invoice("1", 75000, stamp=LATER)) + state(LATER))
        assert read_state(process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 143
    workplace.run(state(LATER))
    assert len(workplace.accepted) == 1
