"""What a run counts adds up: each record meets each rule of its entity in exactly one outcome."""

from __future__ import annotations

import pytest
from desk import Desk
from hypothesis import given
from hypothesis import strategies as st
from singer import invoice

rows = st.builds(
    invoice,
    number=st.sampled_from(["1", "2", "3"]),
    amount=st.sampled_from([None, 100, 60000, 70000, "much", {}]),
    stamp=st.sampled_from([f"2026-11-21T{hour:02}:00:00" for hour in range(4)]),
    status=st.sampled_from(["Open", "Closed", None]),
)
broken = rows.map(lambda row: {**row, "referenceNumber": None})
gone = rows.map(lambda row: {**row, "_sdc_deleted_at": "2026-11-24T02:00:00+00:00"})


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory):
    """A desk whose documents stay from example to example."""
    root = tmp_path_factory.mktemp("desk")
    desk = Desk(root, f"sqlite:///{root / 'ledger.db'}")
    yield desk
    desk.ledger.close()


@pytest.mark.parametrize("when", ["amount > 50000", "amount > previous.amount", "due_date < today"])
@given(taken=st.lists(st.one_of(rows, rows, broken, gone), max_size=12))
def test_the_outcomes_of_a_rule_add_up_to_the_records_of_its_entity(busy_desk, when, taken):
    busy_desk.rule(when)
    busy_desk.read(*taken)
    assert sum(busy_desk.outcomes.values()) == len(taken)
    broken_ones = sum(row["referenceNumber"] is None for row in taken)
    assert busy_desk.outcomes.get("malformed", 0) == broken_ones
