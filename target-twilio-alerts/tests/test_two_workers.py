"""Several processes on one ledger: each message is handed over once, whoever dies or stops.

The sandbox is the judge: it records every request that arrives.
"""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from urllib.parse import parse_qs

import pytest
from ledgers import DATABASES, ON_BOTH, ON_POSTGRESQL, check_chain, deadlocks
from office import Office
from singer import baseline, invoice, record, schema, state
from waiting import until
from zygote import Step

from target_twilio_alerts.delivery.channels import StatusReport
from target_twilio_alerts.delivery.status import apply_report
from target_twilio_alerts.ledger import Ledger, outbox, runs

NUMBERS = [f"n{number}" for number in range(40)]
LATER = "2026-11-20T11:00:00"
TAKEN = {"accepted", "sent", "delivered"}
LONG_AGO = "2026-01-01T00:00:00.000000Z"
AT_FIRST = datetime(2026, 1, 1, tzinfo=timezone.utc)


def lines(numbers):
    rows = [record(invoice(number, 75000, stamp=LATER)) for number in numbers]
    return schema() + "".join(rows) + state(LATER)


@pytest.fixture
def desks(workplace, tmp_path):
    """Places of their own for several processes, which share all that counts."""

    def make(number):
        places = []
        for name in range(number):
            (tmp_path / f"worker {name}").mkdir()
            places.append(replace(workplace, root=tmp_path / f"worker {name}"))
        return places

    return make


@pytest.fixture
def pending(workplace):
    """Writes alerts whose messages wait."""
    office = Office(workplace)

    def write(numbers):
        office.baseline()
        office.alert(*(invoice(number, 75000, stamp=LATER) for number in numbers))
        assert states(workplace) == {"pending": len(numbers)}

    return write


def states(workplace):
    return Counter(found for (found,) in workplace.query("SELECT state FROM messages"))


def judge(workplace, number):
    """So many messages were accepted, each handed over once, and the trail is whole."""
    posted = [one for one in workplace.sandbox.requests("twilio") if one.method == "POST"]
    texts = Counter(parse_qs(one.body.decode())["Body"][0] for one in posted)
    assert set(texts.values()) == {1}
    assert len(texts) == len(workplace.accepted) == number
    assert set(states(workplace)) <= TAKEN
    check_chain(workplace.config["ledger_url"])
    assert deadlocks(workplace.config["ledger_url"]) == 0


def end_well(*workers):
    for worker in workers:
        ended = worker.wait()
        assert ended.code == 0, ended.stderr


@pytest.fixture
def nowhere(request, workplace, databases):
    """Nobody has made the ledger yet."""
    if request.param == "sqlite":
        yield
        return
    workplace.config["ledger_url"] = databases.bare()
    yield
    databases.drop(workplace.config["ledger_url"])


@pytest.mark.parametrize("nowhere", DATABASES, indirect=True)
@pytest.mark.usefixtures("nowhere")
def test_a_new_ledger_is_made_once_by_whoever_comes_first(workplace, zygote, desks):
    end_well(*[zygote.start(place, baseline()) for place in desks(6)])
    assert check_chain(workplace.config["ledger_url"]) == 2 * 6 + 2


@ON_BOTH
def test_targets_with_the_same_input_send_each_message_once(workplace, zygote, desks):
    zygote.run(workplace, baseline())
    end_well(*[zygote.start(place, lines(NUMBERS)) for place in desks(3)])
    judge(workplace, len(NUMBERS))
    assert workplace.query("SELECT count(*) FROM alerts") == [(len(NUMBERS),)]


@ON_BOTH
def test_targets_with_orders_of_their_own_send_each_message_once(workplace, zygote, desks):
    zygote.run(workplace, baseline())
    first, second = desks(2)
    turned = "".join(lines([number]) for number in reversed(NUMBERS))
    end_well(zygote.start(first, lines(NUMBERS)), zygote.start(second, turned))
    judge(workplace, len(NUMBERS))


@ON_BOTH
def test_workers_deliver_each_message_once(workplace, zygote, desks, pending):
    pending(NUMBERS)
    workplace.sandbox.faults.add("twilio", delay=0.05, method="POST", times=None)
    end_well(*[zygote.command(place, "deliver") for place in desks(4)])
    judge(workplace, len(NUMBERS))
    busy = workplace.query("SELECT DISTINCT claim_run_id FROM messages")
    assert len(busy) > 1


@ON_BOTH
def test_who_is_stopped_past_the_lease_of_a_claim_sends_nothing_later(
    workplace, zygote, desks, pending
):
    pending("1")
    first, second = desks(2)
    stopped = zygote.command(first, "deliver", die=Step("checkin", 1, "claimed", signal.SIGSTOP))
    until(stopped.is_stopped)
    assert states(workplace) == {"claimed": 1}
    end_well(zygote.command(second, "deliver"))
    assert states(workplace) == {"claimed": 1}

    workplace.query("UPDATE messages SET claim_expires_at = ?", LONG_AGO)
    end_well(zygote.command(second, "deliver"))
    assert states(workplace) == {"accepted": 1}
    stopped.go_on()
    end_well(stopped)
    judge(workplace, 1)


@ON_BOTH
@pytest.mark.parametrize("delay", [None, 0.5], ids=["before the request", "while it is out"])
def test_who_is_stopped_in_the_hand_over_is_given_up_and_tells_later(
    workplace, zygote, desks, pending, delay
):
    pending("1")
    workplace.config["max_in_flight"] = 1  # else a file may be stopped while it looks for more
    first, second = desks(2)
    if delay is None:
        stopped = zygote.command(
            first, "deliver", die=Step("checkin", 1, "sending", signal.SIGSTOP)
        )
        until(stopped.is_stopped)
    else:
        workplace.sandbox.faults.add("twilio", delay=delay, method="POST")
        stopped = zygote.command(first, "deliver")
        until(lambda: workplace.sandbox.requests("twilio"))
        stopped.stop()
    assert states(workplace) == {"sending": 1}
    end_well(zygote.command(second, "deliver"))
    assert states(workplace) == {"sending": 1}

    workplace.query("UPDATE messages SET sending_at = ?", LONG_AGO)
    end_well(zygote.command(second, "deliver"))
    assert states(workplace) == {"unknown": 1}
    stopped.go_on()
    end_well(stopped)
    judge(workplace, 1)


@ON_BOTH
def test_what_a_killed_worker_only_claimed_is_sent_by_another(workplace, zygote, desks, pending):
    pending("1")
    first, second = desks(2)
    killed = zygote.command(first, "deliver", die=Step("checkin", 1, "claimed"))
    assert killed.wait().code == -9
    end_well(zygote.command(second, "deliver"))
    judge(workplace, 1)


@ON_BOTH
def test_what_a_worker_of_another_host_claimed_is_sent_when_its_lease_is_over(
    workplace, zygote, desks, pending
):
    """Whether it is dead cannot be known from here."""
    pending("1")
    first, second = desks(2)
    zygote.command(first, "deliver", die=Step("checkin", 1, "claimed")).wait()
    workplace.query("UPDATE runs SET host = 'elsewhere'")
    end_well(zygote.command(second, "deliver"))
    assert states(workplace) == {"claimed": 1}
    workplace.query("UPDATE messages SET claim_expires_at = ?", LONG_AGO)
    end_well(zygote.command(second, "deliver"))
    judge(workplace, 1)


@ON_BOTH
@pytest.mark.parametrize(
    "step",
    [Step("checkin", 1, "sending"), Step("commit", 1, "accepted")],
    ids=["before the request", "before the answer is written"],
)
def test_what_a_killed_worker_may_have_sent_is_sent_by_nobody(
    workplace, zygote, desks, pending, step
):
    pending("1")
    first, second = desks(2)
    assert zygote.command(first, "deliver", die=step).wait().code == -9
    for _ in range(2):
        end_well(zygote.command(second, "deliver"))
    was_taken = step.state == "accepted"
    assert len(workplace.accepted) == was_taken
    # What Twilio has is settled by evidence; of what it has not, nothing can be known.
    assert bool(workplace.trail("--state", "unknown")) is not was_taken


@ON_POSTGRESQL
def test_who_is_stopped_in_a_transaction_loses_it_and_holds_up_nobody(
    workplace, zygote, desks, pending
):
    pending(NUMBERS[:5])
    first, second = desks(2)
    workplace.config["max_in_flight"] = 1
    patience = "options=-c%20idle_in_transaction_session_timeout%3D300"
    workplace.config["ledger_url"] += f"&{patience}"
    # It has the head of the chain, which everybody needs.
    stopped = zygote.command(first, "deliver", die=Step("commit", 1, "sending", signal.SIGSTOP))
    until(stopped.is_stopped)
    end_well(zygote.command(second, "deliver"))
    assert states(workplace) == {"accepted": 4, "claimed": 1}
    stopped.go_on()
    end_well(stopped)
    judge(workplace, 5)


@ON_BOTH
def test_a_status_is_told_once_whoever_asks(workplace, zygote, desks, pending):
    pending("123")
    end_well(zygote.command(workplace, "deliver"))
    workplace.sandbox.twilio.settle()
    end_well(*[zygote.command(place, "deliver") for place in desks(3)])
    assert states(workplace) == {"delivered": 3}
    told = workplace.query("SELECT body FROM audit_events WHERE kind = 'message_status'")
    assert sum('"status":"delivered"' in body for (body,) in told) == 3
    check_chain(workplace.config["ledger_url"])


@ON_BOTH
def test_a_status_that_was_read_before_another_was_written_changes_nothing(workplace, pending):
    pending("1")
    ledger = Ledger(workplace.config["ledger_url"])
    run = runs.start(ledger, command="test", version="0", body={})
    workplace.query("UPDATE messages SET state = 'accepted', status = 'queued', sid = 'SM1'")
    workplace.query("UPDATE messages SET accepted_at = created_at")
    with ledger.read() as connection:
        (row,) = outbox.unfinished(connection, channels=["sms"], since=AT_FIRST, limit=1)
    for said in ("delivered", "sent", "delivered"):
        apply_report(ledger, row, StatusReport(said), run=run)
    ledger.close()
    assert workplace.query("SELECT state, status FROM messages") == [("delivered", "delivered")]
    told = "SELECT count(*) FROM audit_events WHERE kind = 'message_status'"
    assert workplace.query(told) == [(1,)]
