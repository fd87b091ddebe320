"""The summary of failures: operators hear of each message that did not get through, once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger.tables import iso_utc

UNREACHABLE, OPTED_OUT, LANDLINE = "+46701740691", "+46701740695", "+46701740696"
REACHED = "+46701740605"
TITLE = "1 alert message did not get through"
OPERATORS = "operators: {notify: petra, via: email}\n"


@pytest.fixture
def desk(office):
    """Gives an office in which Anna is told of invoices, and Petra of failures."""

    def make(number=LANDLINE, operators=OPERATORS, locale="en", more=""):
        office.people(
            anna={"sms": number},
            petra={"sms": REACHED, "email": "petra@example.com", "locale": locale},
            rules=f"""
  large: {{entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}}
{operators}{more}""",
        )
        return office

    return make


def days_pass(office, days):
    """Make all messages so many days older."""
    columns = ("created_at", "updated_at", "sending_at", "accepted_at", "status_at")
    for message_id, *moments in office.workplace.query(
        f"SELECT id, {', '.join(columns)} FROM messages"
    ):
        for column, moment in zip(columns, moments, strict=True):
            if moment is not None:
                then = datetime.fromisoformat(moment.replace("Z", "+00:00")) - timedelta(days=days)
                office.workplace.query(
                    f"UPDATE messages SET {column} = ? WHERE id = ?", iso_utc(then), message_id
                )


def emails(office):
    return [email for email in office.sandbox.sendgrid.emails if email.to == "petra@example.com"]


@ON_BOTH
def test_what_was_refused_is_told_in_the_same_run_and_never_again(desk):
    office = desk()
    office.alert(invoice("1", 60000), invoice("2", 60000))
    office.run("deliver")
    [email] = emails(office)
    first, second, summary = office.trail()
    assert email.subject == "2 alert messages did not get through"
    assert "not a mobile number (error 21614): 2\nWhat to do: correct the number" in email.text
    for one in (first, second):
        assert f"- large, Anna, SMS, {one['message']}" in email.text
    assert "What to do: correct the number" in email.html
    assert email.text.endswith(f"Once mended: twilio-alerts resend. Ref {summary['message']}")
    for _ in range(2):
        office.run("deliver")
    assert len(emails(office)) == 1
    assert "ok     " in office.run("audit", "verify")


@ON_BOTH
def test_what_only_a_status_tells_is_told_by_the_run_that_asked_for_it(desk):
    office = desk(UNREACHABLE)
    office.alert(invoice("1", 60000))
    office.run("deliver")
    assert emails(office) == []
    office.sandbox.twilio.settle()
    office.run("deliver")
    [email] = emails(office)
    assert "switched off or out of reach (error 30003): 1" in email.text
    office.run("deliver")
    assert len(emails(office)) == 1


@ON_BOTH
@pytest.mark.parametrize("was_asked_for", [True, False])
def test_what_failed_is_told_though_the_next_run_is_days_later(desk, was_asked_for):
    office = desk(UNREACHABLE)
    office.alert(invoice("1", 60000))
    office.run("deliver")
    if was_asked_for:
        office.run("deliver")
    office.sandbox.twilio.settle()
    days_pass(office, 4)
    office.run("deliver")
    [email] = emails(office)
    assert "switched off or out of reach (error 30003): 1" in email.text


@ON_BOTH
def test_what_never_ends_is_asked_for_once_after_its_third_day(desk):
    office = desk(REACHED)
    office.alert(invoice("1", 60000))
    office.run("deliver")
    office.run("deliver")
    days_pass(office, 4)
    asked = [len(office.sandbox.requests("twilio"))]
    for _ in range(3):
        office.run("deliver")
        asked.append(len(office.sandbox.requests("twilio")))
    assert [number - asked[0] for number in asked] == [0, 1, 1, 1]
    assert [row["state"] for row in office.trail()] == ["sent"]


@ON_BOTH
@pytest.mark.parametrize(("days", "number"), [(4, 1), (31, 0)])
def test_what_a_killed_run_has_not_told_is_told_days_later_and_not_a_month_later(
    desk, days, number
):
    office = desk(operators="")
    office.alert(invoice("1", 60000))
    office.run("deliver")
    desk()
    office.workplace.query("UPDATE messages SET summary_id = NULL")
    days_pass(office, days)
    for _ in range(2):
        office.run("deliver")
    assert len(emails(office)) == number


def test_one_summary_has_every_cause_the_most_frequent_first(desk):
    office = desk(UNREACHABLE)
    office.alert(invoice("1", 60000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    desk(LANDLINE)
    office.alert(invoice("2", 60000), invoice("3", 60000))
    office.run("deliver")
    [email] = emails(office)
    assert email.text.index("21614): 2") < email.text.index("30003): 1")


@pytest.mark.parametrize(
    ("locale", "title", "words"),
    [
        ("sv_SE", "1 larmmeddelande kom inte fram", ["fel 21614", "Åtgärd: correct"]),
        ("nb_NO", "1 varslingsmelding kom ikke fram", ["feil 21614", "Tiltak: correct"]),
        ("da_DK", "1 alarmbesked kom ikke frem", ["fejl 21614", "Gør dette: correct"]),
        ("fi_FI", "1 hälytysviesti ei mennyt perille", ["virhe 21614", "tekstiviesti"]),
        ("en_GB", TITLE, ["error 21614", "What to do: correct"]),
    ],
)
def test_its_frame_is_in_its_readers_language(desk, locale, title, words):
    office = desk(locale=locale)
    office.alert(invoice("1", 60000))
    office.run("deliver")
    [email] = emails(office)
    assert email.subject == title
    assert [word for word in words if word not in email.text] == []


def test_without_operators_the_log_tells_it_once(desk, caplog):
    office = desk(operators="")
    office.alert(invoice("1", 60000))
    with caplog.at_level(logging.WARNING):
        office.run("deliver")
        office.run("deliver")
    told = [line for line in caplog.messages if "did not get through" in line]
    [line] = told
    assert "(21614: 1); nobody is told, for alerts.yml has no `operators`" in line
    assert len(office.trail()) == 1
    desk()
    office.run("deliver")
    assert len(office.trail()) == 1


def test_a_summary_that_fails_is_told_by_no_other(desk):
    office = desk(operators="operators: {notify: anna, via: sms}\n")
    office.alert(invoice("1", 60000))
    for _ in range(3):
        office.run("deliver")
    alert, summary = office.trail()
    assert (alert["state"], summary["state"]) == ("rejected", "rejected")
    assert "failures" in office.run("audit")


def unheard(office, caplog):
    """What the log of a run says of summaries that reached nobody."""
    caplog.clear()
    office.run("deliver")
    return [line for line in caplog.messages if "reached nobody" in line]


@ON_BOTH
def test_of_a_summary_that_reached_nobody_each_run_says_so_until_it_is_sent_again(desk, caplog):
    by_sms = "operators: {notify: petra, via: sms}\n"
    office = desk(operators=by_sms)
    office.sandbox.twilio.refuses[REACHED] = 21614
    office.alert(invoice("1", 60000))
    said = [unheard(office, caplog) for _ in range(3)]
    [summary] = [row for row in office.trail() if row["recipient"] == "petra"]
    line = (
        "1 summary message(s) of what did not get through reached nobody (petra by sms: not a "
        "mobile number): correct the address, or `operators` in alerts.yml, then `twilio-alerts "
        f"resend {summary['message']}`"
    )
    assert said == [[line]] * 3
    del office.sandbox.twilio.refuses[REACHED]
    office.run("resend", summary["message"], "--reason", "corrected", "--yes")
    [sms] = [one for one in office.workplace.accepted if one.to == REACHED]
    assert "not a mobile number (error 21614): 1" in sms.body
    assert unheard(office, caplog) == []
    assert "ok     " in office.run("audit", "verify")


def test_of_a_summary_that_reached_one_operator_or_is_followed_by_another_the_log_says_nothing(
    desk, caplog
):
    both = "operators: {notify: petra, via: [sms, email]}\n"
    office = desk(operators=both)
    office.sandbox.twilio.refuses[REACHED] = 21614
    office.alert(invoice("1", 60000))
    assert unheard(office, caplog) == []
    office = desk(operators=both.replace(", email", ""))
    office.alert(invoice("2", 60000))
    assert len(unheard(office, caplog)) == 1
    office = desk(operators="")
    assert unheard(office, caplog) == []
    office = desk()
    assert len(unheard(office, caplog)) == 1
    office.alert(invoice("3", 60000))
    assert unheard(office, caplog) == []


def test_of_a_summary_whose_answer_was_lost_the_log_says_that_nobody_knows(desk, caplog):
    office = desk()
    office.sandbox.faults.add("sendgrid", method="POST", drop="after")
    office.alert(invoice("1", 60000))
    for _ in range(2):
        [line] = unheard(office, caplog)
        assert "(petra by email: the answer was lost, nobody knows whether it was sent)" in line


def test_an_anchor_that_fails_ends_in_no_circle_with_its_summary(desk):
    office = desk(REACHED)
    office.config["anchor_notify"] = "petra"
    office.sandbox.faults.add("sendgrid", method="POST", status=400, times=100)
    office.alert(invoice("1", 60000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    for _ in range(3):
        office.run("deliver")
    kinds = [one["template"] for one in office.trail()]
    assert kinds.count("built-in/failures") == kinds.count("built-in/anchor") > 0
    for _ in range(2):
        office.run("deliver")
    assert len(office.trail()) == len(kinds)


def test_the_flood_brake_does_not_silence_it(desk):
    office = desk(more="limits: {per_hour: 1, per_recipient: 1, cost_per_day: 0, prices: p.csv}\n")
    (office.root / "p.csv").write_text("channel,country,price\nsms,*,0.05\nemail,*,1\n")
    desk(more="limits: {per_hour: 1, per_recipient: 1}\n")
    office.alert(invoice("1", 60000), invoice("2", 60000))
    desk(more="limits: {per_run: 1, cost_per_day: 0, prices: p.csv}\n")
    office.run("deliver")
    assert [email.subject for email in emails(office)] == [TITLE]


def test_what_was_named_as_held_is_named_again_when_it_fails(desk):
    office = desk(more="limits: {per_rule: 1, notify: petra, via: email}\n")
    office.alert(invoice("1", 60000), invoice("2", 60000))
    office.run("deliver")
    assert [email.subject for email in emails(office)] == [
        "1 alert messages were held back",
        TITLE,
    ]
    office.run("release", "--all", "--reason", "checked")
    office.run("deliver")
    assert [email.subject for email in emails(office)][2:] == [TITLE]


def test_a_lost_answer_is_told_as_not_known_and_what_is_learned_later_as_what_it_is(desk):
    office = desk(UNREACHABLE)
    office.alert(invoice("1", 60000))
    office.sandbox.faults.add("twilio", method="POST", drop="after")
    office.sandbox.faults.add("twilio", method="GET", status=500)
    office.run("deliver")
    [email] = emails(office)
    assert "not known whether it was sent: the answer was lost: 1" in email.text
    assert "What to do: ask the recipient" in email.text
    office.sandbox.twilio.settle()
    office.run("deliver")
    office.run("deliver")
    office.run("deliver")
    assert office.trail()[0]["state"] == "undelivered"
    [_, email] = emails(office)
    assert "(error 30003): 1" in email.text
    assert "ok     " in office.run("audit", "verify")


def test_a_test_that_fails_is_told_to_whoever_tests(desk):
    office = desk()
    assert "21614" in office.run("send-test", "anna", code=1)
    office.run("deliver")
    assert emails(office) == []


def test_by_sms_it_is_short_and_has_all_that_matters(desk):
    office = desk(operators="operators: {notify: petra, via: sms}\n")
    office.alert(invoice("1", 60000))
    office.run("deliver")
    failed, summary = office.trail()
    [sms] = [one for one in office.workplace.accepted if one.to == REACHED]
    assert sms.body == (
        f"{TITLE}. not a mobile number (error 21614): 1 (large, Anna, SMS, {failed['message']}). "
        "What to do: correct the number in alerts.yml, with country code, such as +46701234567, "
        f"or reach this person by email or another number. Ref {summary['message']}"
    )


def test_a_failure_of_sendgrid_is_told_in_plain_words(desk, office):
    office.people(
        anna={"email": "anna@example.com"},
        petra={"sms": REACHED},
        rules="""
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: email}
operators: {notify: petra, via: sms}
""",
    )
    office.alert(invoice("1", 60000))
    office.workplace.query("UPDATE message_contents SET address = 'no address'")
    office.run("deliver")
    [sms] = office.workplace.accepted
    assert "the recipient's email address is not valid" in sms.body


def test_what_is_erased_of_somebody_is_also_what_a_summary_says_of_them(desk):
    office = desk()
    office.alert(invoice("1", 60000))
    office.run("deliver")
    office.run("erase", "anna", "--reason", "asked for it", "--yes")
    texts = office.workplace.query("SELECT text FROM message_contents")
    assert texts == [("",), ("",)]
    assert "ok     " in office.run("audit", "verify")


def test_operators_who_opted_out_are_found_by_check(desk):
    office = desk(OPTED_OUT, operators="operators: {notify: anna, via: sms}\n")
    office.alert(invoice("1", 60000))
    office.run("deliver")
    told = office.run("check", "--online", code=1)
    assert "WRONG  operators: anna opted out of sms" in told


def test_check_finds_what_the_summary_lacks_to_be_sent(desk):
    office = desk()
    del office.config["sendgrid_api_key"]
    assert "WRONG  email: sendgrid_api_key is not set" in office.run("check", code=1)
