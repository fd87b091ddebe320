"""``twilio-alerts test``: rules are shown to tell whom they should, by the code of every run."""

from __future__ import annotations

import json

import pytest

ANNA = "+46701740605"
RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: ap-team
    via: sms
  in-kronor:
    enabled: false
    entity: supplier_invoice
    when: amount_in("SEK") > 50000
    notify: ap-team
    via: sms
rates: {type: SPOT}
timezone: Europe/Stockholm
"""
GOOD = """\
rule: large
rates: "2026-11-20,EUR,SEK,11.0425"
tests:
  a large invoice is told:
    given:
      - supplier_invoice: {number: "9", amount: 60000}
    steps:
      - at: 2026-11-25 10:00
        documents:
          - supplier_invoice: {company: Testbolaget AB, type: Invoice, number: "1", amount: 62000}
          - supplier_invoice: {number: "9", amount: 60001, on_hold: yes}
        told:
          - {recipient: anna, via: sms, segments: 1, state: pending, contains: [Ref REF]}
        outcomes: {large: [alert, already_true]}
"""


@pytest.fixture
def desk(office):
    office.people(rules=RULES, anna={"sms": ANNA})
    (office.root / "tests").mkdir()

    def play(text, *arguments, code=0):
        (office.root / "tests" / "large.yml").write_text(text, encoding="utf-8")
        return office.run("test", *arguments, code=code)

    office.play = play
    return office


def test_a_test_that_holds_is_told_and_nothing_is_sent_or_kept(desk):
    told = desk.play(GOOD)
    assert "ok     large.yml: a large invoice is told" in told
    assert "1 tests, 0 failed" in told
    assert not desk.workplace.accepted
    assert not desk.workplace.ledger_path.exists()


def test_each_test_is_a_line_of_json(desk):
    row = json.loads(desk.play(GOOD, "--json").splitlines()[0])
    assert row == {
        "file": "large.yml",
        "test": "a large invoice is told",
        "ok": True,
        "problems": [],
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("state: pending", "state: suppressed", 13, "expected state 'suppressed'"),
        ("segments: 1", "segments: 2", 13, "expected segments '2', but it was '1'"),
        ("[Ref REF]", "[Paid]", 13, "expected 'Paid' in the text, but it was"),
        ("via: sms", "via: email", 13, "expected via 'email', but it was 'sms'"),
        ("amount: 62000", "amount: 50000", 13, "but nobody else was told"),
        (
            'number: "9", amount: 60001',
            "number: n, amount: 60001",
            8,
            "not expected: rule large told",
        ),
        (
            "[alert, already_true]",
            "alert",
            8,
            "should decide alert, but decided alert, already_true",
        ),
        (
            "  - {recipient: anna, via",
            '  - {recipient: anna, text: "Hi REF", via',
            13,
            "expected text 'Hi REF', but it was",
        ),
        ("via: sms", "not_before: 2026-11-25 12:00, via: sms", 13, "expected not_before"),
    ],
)
def test_what_is_not_as_expected_is_told_with_its_line(desk, old, new, line, told):
    assert old in GOOD
    said = desk.play(GOOD.replace(old, new, 1), code=1)
    assert f"FAILED large.yml:{line}: " in said
    assert told in said
    assert "1 tests, 1 failed" in said


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("rule: large", "rule: larg", 1, "there is no rule larg; did you mean large?"),
        ("tests:", "test:", 3, "unknown key test; did you mean tests?"),
        ("2026-11-20,EUR,SEK,11.0425", "2026-11-20,EUR,SEK", 2, "has 3 values"),
        ("2026-11-20,EUR", "2026-11-20,Euro", 2, "Euro is no currency"),
        ("    steps:", "    stesp:", 7, "unknown key stesp; did you mean steps?"),
        ("at: 2026-11-25 10:00", "at: tomorrow", 8, "tomorrow is no time"),
        ("at: 2026-11-25 10:00", "told: []\n      - told: []", 8, "the first step needs a time"),
        (
            "- supplier_invoice: {company",
            "- suplier_invoice: {company",
            10,
            "no entity suplier_invo",
        ),
        ("amount: 62000", "amuont: 62000", 10, "unknown key amuont; did you mean amount?"),
        ("amount: 62000", "amount: much", 10, "amount: much is no number"),
        ("on_hold: yes", "on_hold: perhaps", 11, "on_hold: perhaps is no boolean"),
        ("on_hold: yes", "date: 24.11.", 11, "date: 24.11. is no date"),
        ('number: "1", ', "", 10, "number is missing"),
        ("recipient: anna", "recipient: ana", 13, "no recipient ana; did you mean anna?"),
        ("via: sms", "via: fax", 13, "there is no via fax"),
        ("state: pending", "state: sleeping", 13, "there is no state sleeping"),
        ("{large: [alert, already_true]}", "{large: [alarm]}", 14, "no outcome alarm;"),
        ("{large: [alert, already_true]}", "{lage: alert}", 14, "there is no rule lage"),
        ("recipient: anna, via: sms", "who: anna", 13, "unknown key who"),
    ],
)
def test_a_mistake_in_a_file_names_its_line_and_its_mend(desk, old, new, line, told):
    assert old in GOOD
    said = desk.play(GOOD.replace(old, new, 1), code=1)
    assert f"FAILED large.yml:{line}: " in said, said
    assert told in said


def test_a_rule_that_is_not_enabled_is_tested_and_rates_come_with_the_test(desk):
    text = GOOD.replace("rule: large", "rule: in-kronor").replace("large:", "in-kronor:")
    text = text.replace("amount: 62000", "amount: 5000, currency: EUR, date: 2026-11-24")
    text = text.replace("amount: 60001", "amount: 1, currency: SEK").replace(
        ", already_true]", ", no_match]"
    )
    told = desk.play(text)
    assert "1 tests, 0 failed" in told
    assert "Rules that no test names: large" in told


def test_a_step_without_time_is_the_next_poll(desk):
    more = '      - documents: [supplier_invoice: {number: "1", amount: 10}]\n        told: []\n'
    assert "0 failed" in desk.play(GOOD + more)


def test_time_that_goes_back_is_a_mistake(desk):
    more = "      - at: 2026-11-25 10:00\n        told: []\n"
    assert "large.yml:15: test 'a large invoice is told': at is not after" in desk.play(
        GOOD + more, code=1
    )


def test_a_step_that_expects_nothing_shows_nothing(desk):
    more = "      - at: 2026-11-26 10:00\n"
    assert "the step expects nothing" in desk.play(GOOD + more, code=1)


def test_without_tests_it_says_where_they_belong(desk):
    assert "no tests: add a file such as" in desk.run("test", code=1)


def test_the_night_of_a_recipient_can_be_shown(desk):
    person = {"sms": ANNA, "quiet_hours": {"from": "20:00", "to": "07:00"}}
    desk.people(rules=RULES, anna=person)
    text = GOOD.replace("10:00", "22:00").replace(
        "state: pending", "not_before: 2026-11-26 07:00, reason: quiet hours"
    )
    assert "1 tests, 0 failed" in desk.play(text)
