from __future__ import annotations

import pytest

from target_twilio_alerts.ledger import Ledger, runs


@pytest.fixture
def ledger(database):
    ledger = Ledger(database)
    yield ledger
    ledger.close()


@pytest.fixture
def run(ledger):
    return runs.start(ledger, command="test", version="0", body={})
