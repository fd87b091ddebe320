"""``twilio-alerts test``: rules are shown to tell whom they should, by the code of every run."""

from __future__ import annotations

import json

import pytest
from readme import undocumented

ANNA, BO = "+46701740605", "+46701740606"
PEOPLE = {"anna": {"sms": ANNA}, "bo": {"sms": BO}}
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
limits: {prices: prices.csv}
timezone: Europe/Stockholm
"""
AT = "at: 2026-11-25 10:00"
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
    (office.root / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\n")
    office.people(rules=RULES.replace("notify: ap-team", "notify: anna"), **PEOPLE)
    (office.root / "tests").mkdir()

    def play(text, *arguments, code=0):
        (office.root / "tests" / "large.yml").write_text(text, encoding="utf-8")
        return office.run("test", *arguments, code=code)

    office.play = play
    return office


def test_a_test_that_holds_is_told_and_nothing_is_sent_or_kept(desk):
    told = desk.play(GOOD)
    assert "ok     large.yml: a large invoice is told" in told
    assert "1 test, 0 failed" in told
    assert not desk.workplace.accepted
    assert not desk.workplace.ledger_path.exists()


def test_json_has_one_shape(desk):
    row = json.loads(desk.play(GOOD, "--json").splitlines()[0])
    assert row == {
        "file": "large.yml",
        "line": 4,
        "test": "a large invoice is told",
        "rules": ["large"],
        "ok": True,
        "problems": [],
    }
    bad = GOOD.replace("segments: 1", "segments: 2")
    row = json.loads(desk.play(bad, "--json", code=1).splitlines()[0])
    assert not row["ok"]
    assert row["problems"] == [
        {
            "line": 13,
            "step": 1,
            "at": "2026-11-25T10:00:00+01:00",
            "what": "large told anna by sms (pending): expected segments '2', but it was '1'",
        }
    ]
    row = json.loads(desk.play(GOOD.replace("tests:", "test:"), "--json", code=1).splitlines()[0])
    assert (row["test"], row["line"], row["ok"]) == (None, None, False)
    assert [problem["line"] for problem in row["problems"]] == [1, 3]
    assert undocumented("test", row) == set()


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        (
            "state: pending",
            "state: suppressed",
            13,
            "expected state 'suppressed', but it was 'pend",
        ),
        ("segments: 1", "segments: 2", 13, "expected segments '2', but it was '1'"),
        ("[Ref REF]", "[Paid]", 13, "expected 'Paid' in the text, but it was 'Testbolaget AB: New"),
        ("via: sms", "via: email", 13, "expected via 'email', but it was 'sms'"),
        ("recipient: anna", "recipient: bo", 13, "expected recipient 'bo', but it was 'anna'"),
        (
            "via: sms",
            "via: sms, rule: in-kronor",
            13,
            "expected rule 'in-kronor', but it was 'large'",
        ),
        ("via: sms", "via: sms, kind: digest", 13, "expected kind 'digest', but it was 'alert'"),
        ("via: sms", "via: sms, step: 1", 13, "expected step '1', but it was '0'"),
        ("via: sms", "via: sms, subject: Hi", 13, "expected subject 'Hi', but there was none"),
        ("via: sms", "via: sms, locale: sv_SE", 13, "expected locale 'sv_SE', but it was 'en'"),
        ("via: sms", "via: sms, encoding: UCS-2", 13, "expected encoding 'UCS-2', but it was 'GSM"),
        ("via: sms", "via: sms, cost: 0.1", 13, "expected cost '0.1', but it was '0.05'"),
        ("via: sms", "via: sms, reason: silence", 13, "expected reason 'silence', but there was n"),
        ("via: sms", "via: sms, because: deputy", 13, "expected because 'deputy', but there was n"),
        ("via: sms", 'via: sms, text: "Hi REF"', 13, "expected text 'Hi REF', but it was 'Testbol"),
        ("via: sms", "not_before: 2026-11-25 12:00, via: sms", 13, "expected not_before '2026-11"),
        ("amount: 62000", "amount: 50000", 13, "expected rule large, recipient anna, via sms"),
        ("amount: 62000", "amount: 50000", 13, "but nobody was told (the rule decided already_t"),
        (
            'number: "9", amount: 60001',
            "number: n, amount: 60001",
            8,
            "expected nobody else, but large told anna by sms (pending): New supplier invoice n",
        ),
        (
            "[alert, already_true]",
            "alert",
            14,
            "expected large to decide alert, but it was alert, already_true",
        ),
        (
            "large: [alert, already_true]",
            "large: []",
            14,
            "expected large to decide nothing, but it",
        ),
    ],
)
def test_what_is_not_as_expected_is_told_with_its_line_and_step(desk, old, new, line, told):
    assert old in GOOD
    said = desk.play(GOOD.replace(old, new, 1), code=1)
    assert f"FAILED large.yml:{line}: step 1 (2026-11-25 10:00): " in said
    assert told in said
    assert "1 test, 1 failed" in said


def test_nobody_is_an_expectation_too(desk):
    none = "        told: []\n        outcomes: {large: [alert, already_true]}\n"
    said = desk.play(GOOD[: GOOD.index("        told:")] + none, code=1)
    assert "large.yml:8: step 1 (2026-11-25 10:00): expected nobody, but large told anna" in said


def test_an_expectation_does_not_take_the_message_of_another(desk):
    """The first expectation fails, the second one holds though it comes later."""
    more = '          - supplier_invoice: {number: "2", amount: 70000}\n'
    two = (
        "        told:\n"
        "          - {via: sms, contains: [99]}\n"
        "          - {via: sms, contains: [62]}\n"
    )
    head = GOOD[: GOOD.index("        told:")]
    said = desk.play(head + more + two, code=1)
    assert said.count("FAILED") == 1
    assert "large.yml:14: step 1" in said
    assert "expected '99' in the text, but it was 'New supplier invoice 2" in said


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("rule: large", "rule: larg", 1, "there is no rule larg; did you mean large?"),
        ("tests:", "test:", 3, "unknown key test; did you mean tests?"),
        ("2026-11-20,EUR,SEK,11.0425", "2026-11-20,EUR,SEK", 2, "has 3 values"),
        ("2026-11-20,EUR", "2026-11-20,Euro", 2, "Euro is no currency"),
        ("    steps:", "    stesp:", 7, "unknown key stesp; did you mean steps?"),
        (AT, "at: tomorrow", 8, "tomorrow is no time"),
        (AT, "told: []\n      - told: []", 8, "the first step needs a time"),
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
        ("via: sms", "via: sms, kind: advert", 13, "there is no kind advert; did you mean alert?"),
        ("segments: 1", "segments: one", 13, "segments one is no whole number"),
        (AT, f"{AT}\n        opted_out: {{recipient: anna}}", 9, "name a recipient and"),
        (AT, f"{AT}\n        opted_out: {{recipient: x, via: sms}}", 9, "no recipient x"),
        (AT, f"{AT}\n        silenced: {{rule: large}}", 9, "how long? Add for"),
        (AT, f"{AT}\n        silenced: {{for: 8h}}", 9, "what? Add one of rule"),
        (AT, f"{AT}\n        rates: '2026-11-20,EUR'", 9, "has 2 values"),
        ("on_hold: yes", "deleted: perhaps", 11, "deleted: perhaps is no boolean"),
        ("on_hold: yes", "stamp: perhaps", 11, "perhaps is no time"),
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
    assert "1 test, 0 failed" in told
    assert "Rules that no test names: large" in told


def test_a_step_without_time_is_the_next_poll(desk):
    more = '      - documents: [supplier_invoice: {number: "1", amount: 10}]\n        told: []\n'
    assert "0 failed" in desk.play(GOOD + more)


def test_time_that_goes_back_is_a_mistake(desk):
    more = "      - at: 2026-11-25 10:00\n        told: []\n"
    assert "large.yml:15: test 'a large invoice is told': step 2: at is not after" in desk.play(
        GOOD + more, code=1
    )


def test_a_step_that_expects_nothing_shows_nothing(desk):
    more = "      - at: 2026-11-26 10:00\n"
    assert "step 2: it expects nothing" in desk.play(GOOD + more, code=1)


def test_without_tests_it_says_where_they_belong(desk):
    assert "no tests: add a file such as" in desk.run("test", code=1)


def test_the_night_of_a_recipient_can_be_shown(desk):
    person = {"sms": ANNA, "quiet_hours": {"from": "20:00", "to": "07:00"}}
    desk.people(rules=RULES, anna=person)
    text = GOOD.replace("10:00", "22:00").replace(
        "state: pending", "not_before: 2026-11-26 07:00, reason: quiet hours"
    )
    assert "1 test, 0 failed" in desk.play(text)
