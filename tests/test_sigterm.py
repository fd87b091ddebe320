"""`meltano run` is ended by SIGTERM while messages are sent: the next run sends the rest, once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import date
from decimal import Decimal

import psutil
import pytest
from waiting import until

from visma_twilio_sandbox import business

RECIPIENTS = {"+46701740605", "+46701740606"}
LOST = "the process ended during the hand-over; the answer is lost"


@pytest.fixture
def invoices(project, sandbox):
    """Lets large invoices come, after a first run that alerted nobody."""
    business.history(sandbox.visma, documents=20, seed=3)
    project.run()
    number = iter(range(900001, 999999))

    def come(many):
        made = [str(next(number)) for _ in range(many)]
        for one in made:
            invoice = business.supplier_invoice(
                number=one,
                amount=Decimal("75000.00"),
                date=date(2026, 11, 20),
                due_date=date(2026, 12, 20),
            )
            sandbox.visma.put("supplierInvoice", invoice)
        return made

    return come


def requests(sandbox):
    return sum(one.method == "POST" for one in sandbox.requests("twilio"))


def end(process, *, whom):
    """Send SIGTERM to Meltano alone, or to all of it, and wait until nothing of it is left."""
    everybody = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in everybody if whom == "all of it" else everybody[:1]:
        os.kill(one.pid, signal.SIGTERM)
    until(lambda: process.poll() is not None, seconds=60)
    psutil.wait_procs(everybody, timeout=60)
    assert not any(one.is_running() for one in everybody)


def judge(project, sandbox, expected):
    """Each was told once, or is listed as unknown."""
    taken = Counter((one.to, one.body) for one in sandbox.twilio.messages)
    assert set(taken.values()) <= {1}
    told = {(to, number) for to, body in taken for number in expected if number in body}
    assert len(told) == len(taken)
    rows = project.trail()
    assert len(rows) == len(expected) * len(RECIPIENTS)
    unknown = [row for row in rows if row["state"] == "unknown"]
    assert len(taken) + len(unknown) >= len(rows)
    assert all(row["error"] == LOST for row in unknown)
    assert {row["state"] for row in rows} <= {"accepted", "sent", "delivered", "unknown"}


def test_a_run_that_is_ended_by_sigterm_while_it_sends_is_finished_by_the_next(
    project, sandbox, invoices
):
    expected = []
    for whom, answered in (("Meltano alone", 0), ("all of it", 2)):
        expected += invoices(3)
        before = requests(sandbox)
        sandbox.faults.add("twilio", delay=0.01, method="POST", times=answered)
        sandbox.faults.add("twilio", delay=0.5, method="POST", times=1)
        with project.started(TARGET_TWILIO_ALERTS_MAX_IN_FLIGHT="1") as process:
            until(lambda: requests(sandbox) > before + answered, seconds=60)  # noqa: B023
            end(process, whom=whom)
        assert process.returncode != 0
        assert requests(sandbox) - before < 3 * len(RECIPIENTS)
    project.run()
    judge(project, sandbox, expected)


def test_a_run_that_is_ended_by_sigterm_while_it_reads_is_finished_by_the_next(
    project, sandbox, invoices
):
    expected = invoices(3)
    slow = sandbox.faults.add("visma", delay=1, match="/v1/purchaseorder")
    with project.started() as process:
        until(lambda: slow.times == 0, seconds=60)
        end(process, whom="Meltano alone")
    project.run()
    judge(project, sandbox, expected)
