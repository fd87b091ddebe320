"""``twilio-alerts backtest``: what it cannot read is told in one line."""

from __future__ import annotations

import pytest
from singer import baseline


@pytest.fixture
def desk(office):
    office.people(anna={"sms": "+46701740605"})
    return office


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json\n", "past.singer: line 1 of the input is not JSON"),
        ('{"type": "RECORD", "record": {}}\n', "lacks stream"),
    ],
)
def test_a_file_that_is_no_singer_stream_is_told_in_one_line(desk, text, said):
    path = desk.root / "past.singer"
    path.write_text(text, encoding="utf-8")
    assert said in desk.run("backtest", str(path), code=1)


def test_it_wants_a_file_or_a_day(desk):
    assert "give either a file" in desk.run("backtest", code=1)
    path = desk.root / "past.singer"
    path.write_text(baseline(), encoding="utf-8")
    assert "give either" in desk.run("backtest", str(path), "--since", "2026-01-01", code=1)
