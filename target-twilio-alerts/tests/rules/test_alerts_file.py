from __future__ import annotations

import re
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.rules import AlertsFileError, load_alerts

GOOD = """\
timezone: Europe/Stockholm
recipients:
  anna:
    name: Anna Berg
    sms: +46701740605
    email: anna@example.com
    locale: sv-SE
    timezone: Europe/Stockholm
  bo: {name: Bo Ek, email: bo@example.com}
groups:
  all: [anna, bo, anna]
  one: bo
rules:
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: sms
  overdue:
    entity: supplier_invoice
    when: |
      due_date < today
      and balance > 0
    notify: [all, bo]
    via: [email, email]
    severity: high
    template: reminder
    again_on: due_date
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "alerts.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


@pytest.fixture
def mistakes(write):
    """The mistakes that loading a text ends in."""

    def load(text):
        with pytest.raises(AlertsFileError) as caught:
            load_alerts(write(text))
        assert str(caught.value) == "\n".join(map(str, caught.value.mistakes))
        return [str(mistake) for mistake in caught.value.mistakes]

    return load


def test_a_file_is_loaded_with_all_it_says(write):
    path = write(GOOD)
    alerts = load_alerts(path)
    assert alerts.path == path
    assert alerts.timezone == zoneinfo.ZoneInfo("Europe/Stockholm")
    anna, bo = alerts.recipients["anna"], alerts.recipients["bo"]
    assert (anna.name, anna.display_name, anna.locale) == ("anna", "Anna Berg", "sv_SE")
    assert anna.addresses("sms") == ("+46701740605",)
    assert anna.addresses("email") == ("anna@example.com",)
    assert anna.timezone == "Europe/Stockholm"
    assert (bo.addresses("sms"), bo.locale, bo.timezone) == ((), "en", None)
    assert alerts.groups == {"all": ("anna", "bo"), "one": ("bo",)}
    large, overdue = alerts.rules
    assert (large.name, large.entity.name, large.line) == ("large", "supplier_invoice", 14)
    assert (large.recipients, large.via, large.severity) == (("anna",), ("sms",), "normal")
    assert (large.template, large.again_on) == (None, ())
    assert overdue.recipients == ("anna", "bo")
    assert (overdue.via, overdue.severity) == (("email",), "high")
    assert (overdue.template, overdue.again_on) == ("reminder", ("due_date",))
    assert overdue.when == "due_date < today and balance > 0"


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(write):
    text = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert [rule.name for rule in load_alerts(write(text)).rules] == ["large", "overdue"]


@pytest.mark.parametrize(("written", "read"), [("sv_se", "sv_SE"), ("SV", "sv"), ("nb", "nb")])
def test_a_locale_is_read_whatever_its_case(write, written, read):
    alerts = load_alerts(write(GOOD.replace("sv-SE", written)))
    assert alerts.recipients["anna"].locale == read


def test_addresses_are_not_in_the_repr(write):
    shown = repr(load_alerts(write(GOOD)).recipients)
    assert "740605" not in shown
    assert "anna@" not in shown


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(mistakes):
    text = GOOD
    for old, new in [
        ("sms: +46701740605", "sms: 1"),
        ("amount > 50000", "amout > 50000"),
        ("notify: anna", "notify: nobody"),
        ("severity: high", "severity: x"),
        ("timezone: Europe/Stockholm\nr", "zone: Europe/Stockholm\nr"),
    ]:
        text = text.replace(old, new, 1)
    lines = [re.match(r"alerts.yml:(\d+): ", mistake)[1] for mistake in mistakes(text)]
    assert lines == ["1", "5", "16", "17", "21", "26"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "alerts.yml:1: the file is empty; it needs recipients and rules"),
        (
            GOOD + "#" * 2_000_000,
            (
                "alerts.yml:1: the file is larger than 2 MB; set alerts_file to the one that has "
                "the rules"
            ),
        ),
        (
            GOOD.encode("utf-16"),
            "alerts.yml:1: this is not UTF-8; save the file with the encoding UTF-8",
        ),
    ],
)
def test_a_file_that_is_hardly_one_is_told(mistakes, text, told):
    assert mistakes(text) == [told]


LINES = GOOD.splitlines()
VALUES = [
    *("", "~", "[]", "{}", "[[]]", "{a: b}", "[a, b]", "- a", "? a", ": ", "!x y", "!!binary aGk="),
    *("&a b", "*a", "'", '"', "|", ">", "%", "@", "\t", "\0", "å", "\x85", "-1", "0", "9" * 5000),
    *(".inf", "true", "no", "2026-01-01", "0001-01-01", "07:00", "99999w", "anna", "all", "sms"),
    *("+46701740605", "+99912345678", "<<", "amount", "today", "amount > previous.amount"),
]


@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, len(LINES) - 1),
            st.sampled_from(["value", "line", "twice", "away"]),
            st.sampled_from(VALUES) | st.text(max_size=5),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_any_file_is_right_or_has_mistakes_that_name_their_lines(tmp_path_factory, changes):
    lines = list(LINES)
    for number, how, value in changes:
        line = lines[number]
        new = {"value": f"{line.partition(':')[0]}: {value}", "line": value, "away": ""}
        lines[number] = new.get(how, f"{line}\n{line}")
    text = "\n".join(lines)
    path = tmp_path_factory.getbasetemp() / "alerts.yml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        assert load_alerts(path).rules
    except AlertsFileError as error:
        last = text.count("\n") + text.count("\r") + 1
        for mistake in error.mistakes:
            assert 1 <= mistake.line <= last
            assert len(mistake.what.splitlines()) == 1


def test_a_missing_file_is_told_with_its_path(tmp_path):
    with pytest.raises(AlertsFileError) as caught:
        load_alerts(tmp_path / "alerts.yml")
    assert str(caught.value).startswith(
        f"alerts.yml: there is no such file: {tmp_path / 'alerts.yml'}; create it, or set",
    )


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    with pytest.raises(AlertsFileError, match="cannot be read"):
        load_alerts(tmp_path)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1m", 60), ("30m", 1800), ("4h", 14_400), ("10h", 36_000), ("600 m", 36_000)],
)
def test_a_validity_is_a_span_up_to_ten_hours(write, written, seconds):
    text = GOOD.replace("via: sms\n", f"via: sms\n    validity_period: {written}\n", 1)
    large, overdue = load_alerts(write(text)).rules
    assert large.validity.total_seconds() == seconds
    assert overdue.validity is None


def test_who_is_called_needs_no_other_address(write):
    text = GOOD.replace("sms: +46701740605", "voice: +46701740605").replace(
        "via: sms", "via: voice"
    )
    alerts = load_alerts(write(text))
    assert alerts.recipients["anna"].addresses("voice") == ("+46701740605",)
    assert alerts.rules[0].via == ("voice",)
