"""A commit whose answer is lost with the connection: whether it took hold is found out."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from ledgers import check_chain
from office import Office
from singer import invoice

from target_twilio_alerts.delivery import steps
from target_twilio_alerts.delivery.channels import Accepted, Postponed
from target_twilio_alerts.delivery.steps import Steps
from target_twilio_alerts.ledger import Ledger, LedgerLostError, runs


class Forgetful:
    """A ledger that commits once and then says that the connection was lost."""

    def __init__(self, ledger):
        self._ledger = ledger
        self.forgets = False

    @contextmanager
    def write(self):
        with self._ledger.write() as connection:
            yield connection
        forgets, self.forgets = self.forgets, False
        if forgets:
            raise LedgerLostError("lost")


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(steps, "_PAUSE_SECONDS", 0)


@pytest.fixture
def ledger(workplace):
    office = Office(workplace)
    office.baseline()
    office.alert(invoice("1", 75000))
    ledger = Ledger(workplace.config["ledger_url"])
    yield ledger
    ledger.close()
    check_chain(workplace.config["ledger_url"])


@pytest.fixture
def forgetful(ledger):
    return Forgetful(ledger)


@pytest.fixture
def taken(ledger, forgetful):
    """The steps, and a message that has been claimed."""
    run = runs.start(ledger, command="test", version="0", body={})
    taken = Steps(forgetful, run)
    (message,) = taken.claim({"sms": 5}, limit=5, unless=lambda: False)
    return taken, message


def kinds(workplace):
    told = workplace.query("SELECT kind FROM audit_events WHERE message_id IS NOT NULL")
    return [kind for (kind,) in told]


def test_a_message_whose_sending_was_committed_is_sent(workplace, forgetful, taken):
    step, message = taken
    forgetful.forgets = True
    assert step.begin(message)
    assert kinds(workplace) == ["message_created", "message_sending"]
    assert not step.begin(message)


def test_an_outcome_is_told_once(workplace, forgetful, taken):
    step, message = taken
    assert step.begin(message)
    forgetful.forgets = True
    step.record(message, Accepted("SM1", "queued", None, None))
    assert workplace.query("SELECT state, sid FROM messages") == [("accepted", "SM1")]
    assert kinds(workplace) == ["message_created", "message_sending", "message_accepted"]


def test_what_another_has_claimed_since_stays_with_them(workplace, ledger, forgetful, taken):
    step, message = taken
    assert step.begin(message)
    other = Steps(ledger, runs.start(ledger, command="test", version="0", body={}))
    claimed = []

    def claim():
        workplace.query("UPDATE messages SET not_before = NULL")
        claimed.extend(other.claim({"sms": 5}, limit=5, unless=lambda: False))
        assert len(claimed) == 1

    late = Steps(Between(forgetful, claim), step._run)
    late.record(message, Postponed("busy", None))
    assert workplace.query("SELECT state, claim_token FROM messages") == [
        ("claimed", claimed[0].token)
    ]


class Between:
    """A ledger whose first commit is not answered, while somebody else does something."""

    def __init__(self, forgetful, do):
        self._forgetful = forgetful
        self._do = do
        forgetful.forgets = True

    @contextmanager
    def write(self):
        try:
            with self._forgetful.write() as connection:
                yield connection
        except LedgerLostError:
            self._do()
            raise


def test_nobody_waits_for_a_claim_when_it_is_time_to_stop(forgetful, taken):
    step, _ = taken
    forgetful.forgets = True
    with pytest.raises(LedgerLostError):
        step.claim({"sms": 5}, limit=5, unless=lambda: True)
