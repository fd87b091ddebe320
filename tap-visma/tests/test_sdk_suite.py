"""The Singer SDK's own suite of tests for taps, over streams of every kind."""

from __future__ import annotations

from typing import ClassVar

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner
from tap_running import TapRunner

from tap_visma.tap import TapVisma
from visma_twilio_sandbox import Sandbox, business

_NAMES_ONLY = {
    "client_id": "isv_example",
    "client_secret": "-",
    "tenant_id": "11111111-1111-4111-8111-111111111111",
}


class OneOfEachKind(TapVisma):
    """The suite makes tests for each field of each stream; these have all there is to go wrong."""

    names: ClassVar = {
        "supplier_invoices",
        "supplier_payments",
        "purchase_orders",
        "journal_transactions",
        "ledgers",
        "general_ledger_transactions",
        "general_ledger_balances",
        "supplier_balances",
        "credit_terms",
    }

    def discover_streams(self):
        return [one for one in super().discover_streams() if one.name in self.names]


_SuiteOfTheSdk = get_tap_test_class(OneOfEachKind, config=_NAMES_ONLY)


# The contract has fields that a company seldom fills; the suite only remarks on them.
@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestSdkSuite(_SuiteOfTheSdk):
    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls):
        with Sandbox(seed=6) as sandbox:
            business.history(sandbox.visma, documents=200, seed=6)
            runner = TapTestRunner(
                OneOfEachKind,
                config=TapRunner(sandbox).config,
                suite_config=SuiteConfig(max_records_limit=20),
            )
            runner.sync_all()
            yield runner
