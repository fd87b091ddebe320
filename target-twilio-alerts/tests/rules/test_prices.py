from __future__ import annotations

from decimal import Decimal

import pytest

from target_twilio_alerts.rules.prices import read_prices
from target_twilio_alerts.rules.table_file import TableFileError

CHANNELS = ("sms", "email")


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
        return read_prices(path, CHANNELS)

    return read_text


def test_a_price_is_of_a_channel_and_country_for_each_segment(read):
    prices = read("channel,country,price\nsms,SE,0.0585\nsms,*,0.1\nemail,*,0.001\n\n")
    assert prices.of("sms", "+46701740605", 2) == Decimal("0.1170")
    assert prices.of("sms", "+4791234567", 1) == Decimal("0.1")
    assert prices.of("sms", "+99912345678", 1) == Decimal("0.1")  # of no country that there is
    assert prices.of("email", "anna@example.com", None) == Decimal("0.001")


def test_what_the_table_does_not_have_is_not_known(read):
    assert read("channel,country,price\nsms,SE,1\n").of("sms", "+4791234567", 1) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fax,SE,1", "there is no channel fax"),
        ("sms,Sweden,1", "Sweden is no country"),
        ("sms,SE,0 05", "0 05 is no price"),
    ],
)
def test_a_mistake_names_its_line(read, line, said):
    with pytest.raises(TableFileError, match=f"prices.csv:3: {said}"):
        read(f"channel,country,price\nsms,NO,1\n{line}\n")
