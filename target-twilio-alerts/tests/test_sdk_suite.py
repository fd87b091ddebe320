"""The Singer SDK's own suite for targets."""

from __future__ import annotations

import logging
import signal

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import (
    TargetMultipleStateMessages,
    TargetRecordMissingKeyProperty,
    TargetRecordMissingRequiredProperty,
)

from target_twilio_alerts.target import TargetTwilioAlerts
from visma_twilio_sandbox import credentials

CONFIG = {
    "alerts_file": "alerts.yml",
    "ledger_url": "sqlite:///ledger.db",
    "account_sid": credentials.ACCOUNT_SID,
    "auth_token": credentials.AUTH_TOKEN,
    "from_number": credentials.FROM_NUMBER,
}


ALERTS = """
recipients:
  anna: {name: Anna Berg, sms: "+46701740605"}
rules:
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}
"""


class ClosedTarget(TargetTwilioAlerts):
    """Closes the run of a suite's test that ends in an exception, as the command would."""

    opened: list[ClosedTarget] = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.opened.append(self)

    def process_endofpipe(self):
        super().process_endofpipe()
        self.opened.remove(self)


class EveryStateMessage(TargetMultipleStateMessages):
    """The suite's own version expects that only some leave; ours leave each, in order."""

    def test(self):
        self.runner.sync_all()
        assert self.runner.state_messages == [
            {"test_multiple_state_messages_a": a, "test_multiple_state_messages_b": b}
            for a, b in ((1, 0), (2, 1), (3, 2), (5, 3), (5, 6))
        ]


class RecordMissingKeyProperty(TargetRecordMissingKeyProperty):
    """The suite expects the run to end; ours records it as malformed and goes on."""

    def test(self):
        self.runner.sync_all()


TESTS = [
    *(test for test in target_tests.tests if test is not TargetRecordMissingKeyProperty),
    EveryStateMessage,
    RecordMissingKeyProperty,
    TargetRecordMissingRequiredProperty,
]

StandardTargetTests = get_target_test_class(
    ClosedTarget,
    config=CONFIG,
    include_target_tests=False,
    custom_suites=[SingerTestSuite(kind="target", tests=TESTS)],
)


class TestSdkSuite(StandardTargetTests):
    """Each test of the suite in a folder of its own."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("MELTANO_PROJECT_ROOT", raising=False)
        (tmp_path / "alerts.yml").write_text(ALERTS, encoding="utf-8")
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        logged = logging.root.handlers[:], logging.root.level
        yield
        for target in ClosedTarget.opened:
            target.abort()
        ClosedTarget.opened.clear()
        for number, handler in handlers.items():
            signal.signal(number, handler)
        logging.root.handlers[:], level = logged
        logging.root.setLevel(level)
