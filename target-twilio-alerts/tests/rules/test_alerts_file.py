from __future__ import annotations

import re
import textwrap
import zoneinfo

import pytest

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


def test_addresses_are_not_in_the_repr(write):
    shown = repr(load_alerts(write(GOOD)).recipients)
    assert "740605" not in shown
    assert "anna@" not in shown


# Each line of GOOD that is changed, what it is changed to, and the one mistake it ends in.
BO = "{name: Bo Ek, email: bo@example.com}"
TABLE = [
    ("rules:", "version: 1\nrules:", 13, "the file: unknown key version; it may have"),
    ("timezone: Europe/Stockholm\nr", "timezone: Stockholm\nr", 1, "mean Europe/Stockholm?"),
    ("timezone: Europe/Stockholm\nr", "timezone: Europe\nr", 1, "no timezone Europe;"),
    ("timezone: Europe/Stockholm\nr", "timezone: ../etc\nr", 1, "no timezone ../etc"),
    ("timezone: Europe/Stockholm\nr", "timezone:\nr", 1, "timezone is empty"),
    ("    name: Anna Berg\n", "", 3, "recipient 'anna': name is missing"),
    ("name: Anna Berg", "nam: Anna Berg\n    name: A", 4, "key nam; did you mean name?"),
    ("name: Anna Berg", "name: [Anna]", 4, "name must be one text"),
    ("name: Anna Berg", "name: !x Anna", 4, "begins with a !"),
    ("name: Anna Berg", "name: A\n    name: B", 5, "name is there twice, first on line 4"),
    ("sms: +46701740605", "sms: 0701740605", 5, "+46*****605 lacks"),
    ("sms: +46701740605", 'sms: "+46 70-174 06 05"', 5, "has spaces or signs in it"),
    ("sms: +46701740605", "sms: 0046701740605", 5, "begins with 00; write + instead"),
    ("sms: +46701740605", "sms: 46701740605", 5, "lacks its country code"),
    ("sms: +46701740605", "sms: +460701740605", 5, "a 0 behind the country code"),
    ("sms: +46701740605", "sms: +4670174", 5, "is no telephone number"),
    ("sms: +46701740605", "sms: +4670174060512", 5, "is no number of its country"),
    ("sms: +46701740605", "sms: +46701740605x", 5, "is no telephone number"),
    ("sms: +46701740605", "sms: on", 5, "lacks its country code"),
    ("email: anna@example.com", "email: anna", 6, "email is not one address"),
    ("email: anna@example.com", "email: a@x.se, b@x.se", 6, "add several recipients"),
    ("locale: sv-SE", "locale: swedish", 7, "there is no locale swedish"),
    ("locale: sv-SE", "locale: sv_XX", 7, "there is no locale sv_XX"),
    ("    timezone: Europe/Stockholm", "    timezone: Europe/Stokholm", 8, "Europe/Stockholm?"),
    (
        "{name: Bo Ek, email: bo@example.com}",
        "{name: Bo}",
        9,
        "has no address; add sms, email, whatsapp or voice",
    ),
    ("{name: Bo Ek, email: bo@example.com}", "{}", 9, "recipient 'bo': is empty"),
    ("{name: Bo Ek, email: bo@example.com}", "Bo Ek", 9, "expected `key: value` lines"),
    ("  one: bo", "  one: boo", 12, "no recipient boo; did you mean bo?"),
    ("  one: bo", "  one: []", 12, "one is empty; name at least one"),
    ("  one: bo", "  one: all", 12, "all is a group"),
    ("  one: bo", "  anna: bo", 12, "a recipient has the same name"),
    ("  one: bo", "  one one: bo", 12, "its name may have letters"),
    ("  one: bo", "  - bo", 12, "this is not YAML"),
    ("  large:", "  large rule:", 14, "its name may have letters"),
    ("  overdue:", "  large:", 19, "large is there twice, first on line 14"),
    (
        "entity: supplier_invoice\n    when: am",
        "entity: supplier_invoices\n    when: am",
        15,
        "mean",
    ),
    ("    entity: supplier_invoice\n    when: am", "    when: am", 14, "entity missing"),
    ("    when: amount > 50000\n", "", 14, "when missing"),
    ("    notify: anna\n", "", 14, "notify missing"),
    ("    via: sms\n", "", 14, "via missing"),
    ("when: amount > 50000", "when: amout > 50000", 16, "rule 'large': supplier_invoice has no"),
    ("when: amount > 50000", "when: yes", 16, "no field yes"),
    ("when: amount > 50000", "when: 50000", 16, "where a condition is needed"),
    ("when: amount > 50000", "when: >", 16, "when is empty"),
    ("when: amount > 50000", "when: ~", 16, "when is empty"),
    ("when: amount > 50000", "when: {amount: 5}", 16, "when must be one text"),
    ("when: amount > 50000", "when: [amount > 5]", 16, "when must be one text"),
    ("when: amount > 50000", 'when: description == "a # b"', 16, "never closed"),
    ("when: amount > 50000", 'when: "SEK" == currency', 16, "below `when: |`"),
    ("when: amount > 50000", "when: !on_hold > 5", 16, "this is not YAML"),
    ("when: amount > 50000", "when: currency == 'a: b'", 16, "goes in quotes"),
    ("notify: anna", "notify: ana", 17, "no recipient or group ana; did you mean anna?"),
    ("notify: anna", "notify: [anna, al]", 17, "group al; did you mean all?"),
    ("notify: anna", "notify: bo", 17, "recipient 'bo' has no sms address; add `sms:`"),
    ("notify: anna", "notify: all", 17, "recipient 'bo' has no sms address"),
    ("notify: anna", "notify: +46701740605", 17, "no recipient or group +46*****605"),
    ("notify: anna", "notify: {anna: sms}", 17, "notify must be one text"),
    ("via: sms", "via: SMS", 18, "no channel SMS; did you mean sms?"),
    ("via: sms", "via: [sms, e-mail]", 18, "no channel e-mail; did you mean email?"),
    ("via: sms", "via: fax", 18, "it is one of: sms, email"),
    ("via: sms", "via: sms\n    when_: x", 19, "unknown key when_; did you mean when?"),
    ("via: sms", "via: sms\n    5: x", 19, "unknown key 5; it may have: entity"),
    ("via: sms", "via: sms\n    <<: {a: b}", 19, "unknown key <<"),
    ("via: sms", "via: sms\n    ? [a]\n    : b", 19, "a key must be a plain name"),
    ("via: sms", "via: sms\n\tseverity: low", 19, "indent with spaces, not with tabs"),
    ("via: sms", "via: *x", 18, "a value that begins with *"),
    ("via: sms", "via: [sms", 18, "a bracket is never closed"),
    ("via: sms", "via: @sms", 18, "put the value in quotes"),
    ("via: sms", "via: sms\n---", 19, "one file holds one document"),
    ("      and balance > 0", "      and balanc > 0", 23, "did you mean balance?"),
    ("      due_date < today", "      due_date == today", 22, "equality with the clock"),
    ("when: amount > 50000", "when: record.amuont > 5", 16, "did you mean record.amount?"),
    ("when: amount > 50000", "when: record.suplier.name is null", 16, "mean record.supplier.name?"),
    ("when: amount > 50000", "when: record.zzz.qqq is null", 16, "names are those of Visma's API"),
    ("when: amount > 50000", "when: record.timeStamp is null", 16, "has no field record.timeStamp"),
    ("when: amount > 50000", "when: record.amount == 'a'", 16, "which do not compare"),
    ("when: amount > 50000", "when: record is null", 16, "`record` needs a field, as in"),
    ("when: amount > 50000", "when: rec.amount > 5", 16, "only previous and record have parts"),
    ("when: amount > 50000", "when: previous.record.x is null", 16, "no field record.x"),
    ("again_on: due_date", "again_on: record.dueDat", 28, "no field record.dueDat"),
    ("when: amount > 50000", "when: recent_count > 5", 16, "brackets: recent_count(days(30)) or"),
    ("when: amount > 50000", "when: recent_count(30) > 5", 16, "looks at 1 to 400 days, as in"),
    ("when: amount > 50000", "when: recent_count(days(900)) > 5", 16, "looks at 1 to 400 days"),
    (
        "when: amount > 50000",
        "when: recent_count(days(9), 5) > 5",
        16,
        "only a field can be the same",
    ),
    ("when: amount > 50000", "when: recent_count() > 5", 16, "recent_count is written"),
    (
        "when: amount > 50000",
        "when: recent_sum(days(9)) > 5",
        16,
        "recent_sum is written recent_sum(",
    ),
    (
        "when: amount > 50000",
        "when: recent_sum(status, days(9)) > 5",
        16,
        "a field that is a number",
    ),
    ("when: amount > 50000", "when: recent_cont(days(9)) > 5", 16, "did you mean recent_count?"),
    ("via: sms", "via: sms\n    once_per: week", 19, "there is no once_per week; it is one of:"),
    ("via: sms", "via: sms\n    once_per: supplier", 19, "there is no once_per supplier"),
    ("via: sms", "via: sms\n    once_per: []", 19, "once_per is empty"),
    ("via: sms", "via: sms\n    max_age: 30", 19, "max_age 30 is no number of days; write it as"),
    ("via: sms", "via: sms\n    max_age: 12h", 19, "max_age 12h is no number of days"),
    ("when: amount > 50000", 'when: amount_in("SEK") > 5', 14, "needs currency rates: add lines"),
    ("when: amount > 50000", 'when: amount_in("kr") > 5', 16, "amount_in takes one currency"),
    ("when: amount > 50000", "when: amount_in(currency) > 5", 16, "amount_in takes one currency"),
    ("groups:", "rates:\ngroups:", 10, "rates: expected `key: value` lines"),
    ("groups:", "rates: {max_age: 9d}\ngroups:", 10, "rates: file and type are missing; add"),
    ("groups:", "rates: {file: no.csv}\ngroups:", 10, "no.csv: cannot be read"),
    ("groups:", "rates: {files: [a]}\ngroups:", 10, "did you mean file?"),
    ("    severity: high", "    severity: urgent", 26, "it is one of: low, normal, high"),
    ("    severity: high", "    severity: hihg", 26, "did you mean high?"),
    ("    template: reminder", "    template:", 27, "template is empty"),
    ("again_on: due_date", "again_on: duedate", 28, "no field duedate; did you mean due_date?"),
    ("via: sms", "via: sms\n    max_segments: 11", 19, "max_segments is a number from 1 to 10"),
    ("via: sms", "via: sms\n    max_segments: two", 19, "max_segments is a number from 1 to 10"),
    ("severity: high", "max_segments: 2", 26, "max_segments is for via: sms; remove it"),
    ("via: sms", "via: sms\n    undecided: {notify: anna}", 19, "undecided: via missing; add it"),
    ("via: sms", "via: sms\n    undecided: {notify: ana, via: sms}", 19, "did you mean anna?"),
    ("via: sms", "via: sms\n    undecided: {notify: bo, via: sms}", 19, "has no sms address"),
    ("via: sms", "via: sms\n    undecided: {notify: bo, via: fax}", 19, "no channel for it fax"),
    ("via: sms", "via: sms\n    undecided: bo", 19, "undecided: expected `key: value` lines"),
    ("again_on: due_date", "again_on: [date, amont]", 28, "did you mean amount?"),
    (BO, "{name: Bo, email: b@x.se, away: {from: 2026-12-01, deputy: anna}}", 9, "to missing"),
    (
        BO,
        "{name: Bo, email: b@x.se, away: {from: 2026-12-02, to: 2026-12-01, deputy: anna}}",
        9,
        "to is before from",
    ),
    (
        BO,
        "{name: Bo, email: b@x.se, away: {from: 1.12., to: 2026-12-01, deputy: anna}}",
        9,
        "1.12. is no day",
    ),
    (
        BO,
        "{name: Bo, email: b@x.se, away: {from: 2026-12-01, to: 2026-12-01, deputy: ana}}",
        9,
        "no recipient ana; did you mean anna?",
    ),
    (
        BO,
        "{name: Bo, email: b@x.se, away: {from: 2026-12-01, to: 2026-12-01, deputy: bo}}",
        9,
        "no deputy of themselves",
    ),
    (BO, "{name: Bo, email: b@x.se, away: []}", 9, "away: is empty"),
    (
        BO,
        (
            "{name: Bo, email: b@x.se, away: [{from: 2026-12-01, to: 2026-12-09, deputy: anna}, "
            "{from: 2026-12-09, to: 2026-12-10, deputy: anna}]}"
        ),
        9,
        "overlaps the absence from 2026-12-01",
    ),
    (BO, "{name: Bo, email: b@x.se, quiet_hours: {from: 20:00}}", 9, "give both from and to"),
    (BO, "{name: Bo, email: b@x.se, quiet_hours: {do: hold}}", 9, "says no time"),
    (
        BO,
        "{name: Bo, email: b@x.se, quiet_hours: {from: 8 pm, to: 07:00}}",
        9,
        "8 pm is no time of day",
    ),
    (
        BO,
        "{name: Bo, email: b@x.se, quiet_hours: {from: 24:00, to: 07:00}}",
        9,
        "24:00 is no time of day",
    ),
    (BO, "{name: Bo, email: b@x.se, quiet_hours: {from: 07:00, to: 7:00}}", 9, "are the same time"),
    (
        BO,
        "{name: Bo, email: b@x.se, quiet_hours: {from: 20:00, to: 07:00, do: wait}}",
        9,
        "do is hold",
    ),
    (BO, "{name: Bo, email: b@x.se, quiet_hours: {days: [lör]}}", 9, "no day lör"),
    (
        BO,
        "{name: Bo, email: b@x.se, quiet_hours: {days: [mon, tue, wed, thu, fri, sat, sun]}}",
        9,
        "all days are quiet",
    ),
    ("  one: bo", "  one: bo\nrotations:\n  duty: {members: [bo]}", 14, "start missing"),
    (
        "  one: bo",
        "  one: bo\nrotations:\n  duty: {start: 2026-11-24, members: [bo]}",
        14,
        "no Monday, and turns are weeks; write 2026-11-23",
    ),
    (
        "  one: bo",
        "  one: bo\nrotations:\n  duty: {start: 2026-11-23, members: [all]}",
        14,
        "no recipient all",
    ),
    (
        "  one: bo",
        "  one: bo\nrotations:\n  bo: {start: 2026-11-23, members: [bo]}",
        14,
        "a recipient has the same name",
    ),
    (
        "  one: bo",
        "  one: bo\nrotations:\n  duty: {start: 2026-11-23, members: [bo], timezone: Oslo}",
        14,
        "no timezone Oslo;",
    ),
    ("via: sms\n", "via: sms\n    enabled: no\n", 19, "enabled is true or false, not no"),
    (
        "via: sms\n",
        "via: sms\n    escalate: {after: 15, notify: anna, via: sms}\n",
        19,
        "after 15 is no span; write it as in 15m",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: {notify: anna, via: sms}\n",
        19,
        "after missing; add it",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: {after: 15m, notify: ana, via: sms}\n",
        19,
        "no recipient or group ana; did you mean anna?",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: {after: 15m, notify: bo, via: sms}\n",
        19,
        "recipient 'bo' has no sms address",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: {after: 15m, notify: anna, via: whatsapp}\n",
        19,
        "no channel for it whatsapp",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: {after: 15m, unless: read, notify: anna, via: sms}\n",
        19,
        "unless is acknowledged or delivered, not read",
    ),
    (
        "via: sms\n",
        (
            "via: sms\n    escalate: [{after: 1h, notify: anna, via: sms}, "
            "{after: 60m, notify: anna, via: sms}]\n"
        ),
        19,
        "each step comes later",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: []\n",
        19,
        "escalate: is empty",
    ),
    (
        "via: [email, email]\n",
        "via: email\n    escalate: {after: 1h, unless: delivered, notify: anna, via: sms}\n",
        26,
        "of email and calls nobody hears that it reached them",
    ),
    ("groups:\n", "limits: {per_rule: 0}\ngroups:\n", 10, "per_rule is a number of messages"),
    ("groups:\n", "limits: {per_hour: many}\ngroups:\n", 10, "per_hour is a number of messages"),
    ("groups:\n", "limits: {per_week: 1}\ngroups:\n", 10, "unknown key per_week"),
    ("groups:\n", "limits: {cost_per_day: 5}\ngroups:\n", 10, "cost_per_day needs prices"),
    ("groups:\n", "limits: {prices: none.csv}\ngroups:\n", 10, "none.csv: cannot be read"),
    ("groups:\n", "limits: {notify: anna}\ngroups:\n", 10, "give both notify and via"),
    (
        "groups:\n",
        "limits: {notify: bo, via: sms}\ngroups:\n",
        10,
        "recipient 'bo' has no sms address",
    ),
    (
        "groups:\n",
        "limits: {notify: anna, via: whatsapp}\ngroups:\n",
        10,
        "no channel for it whatsapp",
    ),
    ("via: sms\n", "via: sms\n    digest: {daily: 25:00}\n", 19, "daily 25:00 is no time of day"),
    ("via: sms\n", "via: sms\n    digest: {workdays: 08:00}\n", 19, "add country: SE"),
    (
        "via: sms\n",
        "via: sms\n    digest: {workdays: 08:00, country: DE}\n",
        19,
        "holidays of DE are not known",
    ),
    ("via: sms\n", "via: sms\n    digest: {weekly: 08:00}\n", 19, "write it as mon 08:00"),
    ("via: sms\n", "via: sms\n    digest: {weekly: mon 8}\n", 19, "weekly 8 is no time of day"),
    (
        "via: sms\n",
        "via: sms\n    digest: {daily: 8:00, weekly: mon 8:00}\n",
        19,
        "give one of daily, workdays, weekly",
    ),
    ("via: sms\n", "via: sms\n    digest: {country: SE}\n", 19, "give one of daily"),
    (
        "via: sms\n",
        "via: sms\n    digest: {daily: 8:00, timezone: Oslo}\n",
        19,
        "no timezone Oslo",
    ),
    (
        "via: sms\n",
        "via: sms\n    digest: {daily: 08:00}\n    fallback: email\n",
        20,
        "a digest has no fallback",
    ),
    (
        "via: sms\n",
        "via: sms\n    digest: {daily: 08:00}\n    validity_period: 1h\n",
        20,
        "a digest has no validity_period",
    ),
    ("via: sms\n", "via: sms\n    validity_period: 30\n", 19, "rule 'large': validity_period 30"),
    ("via: sms\n", "via: sms\n    validity_period: 0m\n", 19, "write it as in 30m or 4h"),
    ("via: sms\n", "via: sms\n    validity_period: 601m\n", 19, "is no span up to 10h"),
    ("via: sms\n", "via: sms\n    validity_period: 1d\n", 19, "is no span up to 10h"),
    ("via: sms\n", "via: sms\n    validity_period: [1h]\n", 19, "validity_period must be one text"),
    (BO, "{name: Bo, email: bo@x.se, voice: 0701740605}", 9, "voice +46*****605 lacks its country"),
    ("via: sms\n", "via: voice\n", 17, "recipient 'anna' has no voice address; add `voice:`"),
    ("via: sms\n", "via: sms\n    fallback: voice\n", 17, "'anna' has no voice address"),
    (
        "via: sms\n",
        "via: sms\n    undecided: {notify: anna, via: voice}\n",
        19,
        "no channel for it voice",
    ),
    (
        "via: sms\n",
        "via: sms\n    escalate: {after: 15m, notify: anna, via: voice}\n",
        19,
        "recipient 'anna' has no voice address",
    ),
    ("via: sms\n", "via: sms\n    fallback: sms\n", 19, "the rule sends by sms anyway"),
    ("via: sms\n", "via: sms\n    fallback: whatsapp\n", 19, "no channel for it whatsapp"),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), TABLE)
def test_a_mistake_names_its_line_and_its_mend(mistakes, old, new, line, told):
    assert old in GOOD
    found = mistakes(GOOD.replace(old, new, 1))
    assert len(found) == 1, found
    first = found[0].splitlines()[0]
    assert first.startswith(f"alerts.yml:{line}: ")
    assert told.replace("+46*****605 lacks", "*****605 lacks") in first
    assert "0701740605" not in found[0].replace(" ", "").replace("-", "")
    assert "46701740605" not in found[0]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1m", 60), ("30m", 1800), ("4h", 14_400), ("10h", 36_000), ("600 m", 36_000)],
)
def test_a_validity_is_a_span_up_to_ten_hours(write, written, seconds):
    text = GOOD.replace("via: sms\n", f"via: sms\n    validity_period: {written}\n", 1)
    large, overdue = load_alerts(write(text)).rules
    assert large.validity.total_seconds() == seconds
    assert overdue.validity is None


CALLED = GOOD.replace("sms: +46701740605", "voice: +46701740605").replace("via: sms", "via: voice")


def test_who_is_called_needs_no_other_address(write):
    alerts = load_alerts(write(CALLED))
    assert alerts.recipients["anna"].addresses("voice") == ("+46701740605",)
    assert alerts.rules[0].via == ("voice",)


def test_no_call_tells_that_it_was_delivered(mistakes):
    more = "    escalate: {after: 1h, unless: delivered, notify: anna, via: voice}\n"
    (told,) = mistakes(CALLED.replace("via: voice\n", f"via: voice\n{more}", 1))
    assert told == (
        "alerts.yml:19: rule 'large': escalate: of email and calls nobody hears that it reached "
        "them; write unless: acknowledged"
    )


def test_a_digest_is_not_read_out(mistakes):
    (told,) = mistakes(CALLED.replace("via: voice\n", "via: voice\n    digest: {daily: 8:00}\n", 1))
    assert told.endswith("a digest is told by sms or email, not voice")


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


def test_a_mistake_in_a_condition_shows_its_place(mistakes):
    text = GOOD.replace("balance > 0", "balanc > 0")
    [mistake] = mistakes(text)
    assert mistake == (
        "alerts.yml:23: rule 'overdue': supplier_invoice has no field balanc; did you mean "
        "balance?\n    and balanc > 0\n        ^"
    )


def test_a_rule_that_names_today_needs_a_timezone(mistakes):
    text = GOOD.removeprefix("timezone: Europe/Stockholm\n")
    [mistake] = mistakes(text)
    assert mistake == (
        "alerts.yml:20: rule 'overdue': names today, so the file must say whose day: add a line "
        "such as `timezone: Europe/Stockholm`"
    )


def test_a_rule_that_names_previous_needs_no_again_on(mistakes):
    text = GOOD.replace("and balance > 0", "and balance > previous.balance")
    [mistake] = mistakes(text)
    assert mistake.startswith("alerts.yml:28: rule 'overdue': a rule that names previous")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["alerts.yml:1: the file is empty; it needs recipients and rules"]),
        ("# nothing\n", ["alerts.yml:1: the file is empty; it needs recipients and rules"]),
        (
            "timezone: Europe/Oslo\n",
            [
                "alerts.yml:1: recipients is missing; add who can be told",
                "alerts.yml:1: rules is missing; add what to alert on",
            ],
        ),
        (
            "recipients:\n  a: {name: A, sms: +46701740605}\nrules:\n",
            ["alerts.yml:3: rules: expected `key: value` lines below it"],
        ),
        (
            "recipients:\n  a: {name: A, sms: +46701740605}\nrules: {}\n",
            ["alerts.yml:3: rules: is empty; add at least one `key: value` line"],
        ),
        (b"a: b\nc: \xe5\n", ["alerts.yml:2: this is not UTF-8; save the file"]),
        ("a: b\nc: \x07\n", ["alerts.yml:2: a control character; remove it"]),
        ("[" * 1200, ["alerts.yml:1: this is not YAML that can be read"]),
        ("a: &x 1\nb: &x 2\n", ["alerts.yml:1: this is not YAML that can be read"]),
    ],
)
def test_a_file_that_is_hardly_one_is_told(mistakes, text, expected):
    found = mistakes(text)
    assert len(found) == len(expected)
    for one, start in zip(found, expected, strict=True):
        assert one.startswith(start)


def test_a_list_in_place_of_the_file_is_told(mistakes):
    found = mistakes("- a\n")
    assert found[0] == "alerts.yml:1: the file: expected `key: value` lines below it"


def test_a_missing_file_is_told_with_its_path(tmp_path):
    with pytest.raises(AlertsFileError) as caught:
        load_alerts(tmp_path / "alerts.yml")
    assert str(caught.value).startswith(
        f"alerts.yml: there is no such file: {tmp_path / 'alerts.yml'}; create it, or set",
    )


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    with pytest.raises(AlertsFileError, match="cannot be read"):
        load_alerts(tmp_path)


def test_the_file_of_the_readme_is_right(write):
    text = """\
    recipients:
      ap-manager: {name: Anna Berg, sms: "+46701740605", locale: sv_SE}
    rules:
      large-supplier-invoice:
        entity: supplier_invoice
        when: type == "Invoice" and amount > 50000 and currency == "SEK" and status != "Voided"
        notify: ap-manager
        via: sms
        severity: high
    """
    [rule] = load_alerts(write(textwrap.dedent(text))).rules
    assert rule.severity == "high"
    assert rule.condition.fields == ("type", "amount", "currency", "status")
