"""What is passed on as it came is what would have been read and written again."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_running import Collector

from tap_visma import answers
from tap_visma.answers import Answer
from tap_visma.errors import TransientError

AT = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
LOOKED_AT = frozenset({"referenceNumber", "lastModifiedDateTime", "metadata"})

scalars = st.none() | st.booleans() | st.text() | st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([*sorted(LOOKED_AT), "amount", "value", "supplier"]) | st.text()
rows = st.lists(st.dictionaries(names, values, max_size=6), max_size=4)
layouts = st.sampled_from([None, "\n", "\r\n", " ", "\t"])

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def written(content, looked_at):
    page = answers.page(Answer(200, {}, content), looked_at=looked_at)
    collector = Collector()
    collector.write_records("supplier_invoices", page.rows, time_extracted=AT)
    return [_decode(line) for line in collector.lines], len(page.rows), page.total


@given(rows, layouts)
def test_both_ways_write_the_same(rows, space):
    content = _encode(rows)
    if space is not None:
        content = content.replace(b"{", b"{" + space.encode()) if b'"' not in content else content
    assert written(content, LOOKED_AT) == written(content, None)


@pytest.mark.parametrize("space", ["\n", "\r\n"])
def test_an_answer_over_several_lines_is_one_line_a_record(space):
    content = json.dumps([{"referenceNumber": "1", "lines": [1, 2]}], indent=1)
    lines, number, _ = written(content.replace("\n", space).encode(), LOOKED_AT)
    assert len(lines) == number == 1


@pytest.mark.parametrize("amount", ["75000.00", "0.10", "12345678901234567890.1234", "1e5", "-0.0"])
def test_an_amount_that_nobody_looks_at_keeps_each_of_its_digits(amount):
    content = b'[{"referenceNumber":"1","amount":%b}]' % amount.encode()
    page = answers.page(Answer(200, {}, content), looked_at=LOOKED_AT)
    collector = Collector()
    collector.write_records("supplier_invoices", page.rows, time_extracted=AT)
    assert b'"amount":%b}' % amount.encode() in collector.lines[0]


def test_a_wrapped_value_is_unwrapped_all_the_same():
    lines, _, _ = written(b'[{"amount":{"value":1.50}}]', LOOKED_AT)
    assert lines[0]["record"] == {"amount": Decimal("1.50")}


@pytest.mark.parametrize(
    "content",
    [b'[{"a":"\xff"}]', b'[{"a":1,}]', b'[{"a":"\\ud800"}]', b'[{"a":tru}]', b"[{", b""],
)
def test_what_is_no_json_is_told_either_way(content):
    for looked_at in (LOOKED_AT, None):
        with pytest.raises(TransientError, match="not a JSON list"):
            answers.page(Answer(200, {}, content), looked_at=looked_at)
