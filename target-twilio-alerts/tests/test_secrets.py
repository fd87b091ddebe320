"""Secrets, telephone numbers and email addresses stay out of all that a run prints."""

from __future__ import annotations

import re

from singer import baseline, invoice, record, schema, state
from waiting import until

ALERTS = """
recipients:
  anna: {name: Anna Berg, sms: "+46701740605", email: anna.berg@example.com}
  bo: {name: Bo Dahl, sms: "+46701740696", email: bo.dahl@example.net}
rules:
  by-sms: {entity: supplier_invoice, when: amount > 50000, notify: [anna, bo], via: sms}
  by-email: {entity: supplier_invoice, when: amount > 50000, notify: [anna, bo], via: email}
"""
PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+|%2B|00)?(?:46|0)70[ -]?174[ -]?06(?:05|96)")
EMAIL = re.compile(r"(?:anna\.berg|bo\.dahl)@")


def lines(number, broken=""):
    row = invoice(str(number), 75000, stamp=f"2026-11-20T11:00:{number:02}", description=PERSONAL)
    return schema() + record(row) + broken + state(f"2026-11-20T11:00:{number:02}")


PERSONAL = "call +46701740605 or write to anna.berg@example.com"


def test_nothing_that_a_run_prints_gives_away_a_secret_or_an_address(workplace, zygote):
    workplace.write_alerts(ALERTS)
    printed = []

    def run(text, code=0):
        ended = zygote.run(workplace, text, code=code)
        printed.extend([ended.stdout, ended.stderr])
        assert "Traceback" not in ended.stderr
        return ended

    config, faults = workplace.config, workplace.sandbox.faults
    run(baseline())
    # One accepted, one rejected by its number; emails whose answer is lost or that are refused.
    faults.add("sendgrid", drop="after")
    faults.add("sendgrid", status=400, body='{"errors":[{"message":"bad to bo.dahl@example.net"}]}')
    assert "1 unknown" in run(lines(1)).stderr
    # An answer that repeats the number and the credentials.
    echo = f'{{"code":21999,"message":"no: +46701740605 {PERSONAL}"}}'
    faults.add("twilio", status=400, body=echo, method="POST", times=2)
    run(lines(2))
    # Broken credentials, one after the other.
    secrets = {name: config[name] for name in ("auth_token", "sendgrid_api_key")}
    for number, (name, right) in enumerate(secrets.items(), start=10):
        config[name] = f"wrong-{right}"
        run(lines(number), code=2)
        config[name] = right
    # Broken input, which holds what is personal.
    run(lines(4, broken=PERSONAL + "\n"), code=2)
    run(lines(5, broken='{"type":"RECORD","record":{"phone":"' + PERSONAL + '"}}\n'), code=2)
    run(lines(6, broken=record(invoice("7", PERSONAL, supplier=PERSONAL))))
    # Settings that cannot be right, with the secret in them.
    for name, wrong in (
        ("ledger_url", "postgresql+psycopg://user:pass-w0rd@127.0.0.1:1/alerts"),
        ("twilio_api_url", "http://user:pass-w0rd@127.0.0.1"),
        ("account_sid", secrets["auth_token"]),
    ):
        config[name], right = wrong, config[name]
        run(lines(7), code=2)
        config[name] = right

    told = "\n".join(printed)
    assert "accepted" in told
    assert "rejected" in told
    assert "pass-w0rd" not in told
    for secret in secrets.values():
        assert secret not in told
    assert PHONE.findall(told) == []
    assert EMAIL.findall(told) == []


def test_the_trail_shows_whom_by_name_and_a_masked_address(workplace, zygote):
    workplace.write_alerts(ALERTS)
    zygote.run(workplace, baseline())
    zygote.run(workplace, lines(1))
    told = workplace.command("audit", "--format", "csv")
    assert "anna" in told
    assert "+46*****605" in told
    assert PHONE.findall(told) == []
    assert EMAIL.findall(told) == []


def test_a_target_that_is_killed_leaves_nothing_personal_in_its_log(workplace, zygote):
    workplace.write_alerts(ALERTS)
    zygote.run(workplace, baseline())
    workplace.sandbox.faults.add("twilio", delay=30, method="POST", times=None)
    running = zygote.start(workplace, lines(1))
    until(lambda: workplace.sandbox.requests("twilio"))
    running.kill()
    ended = running.wait()
    workplace.sandbox.faults.clear()
    told = ended.stdout + ended.stderr + zygote.run(workplace, lines(1)).stderr
    assert PHONE.findall(told) == []
    assert EMAIL.findall(told) == []


def test_not_even_the_most_talkative_log_gives_them_away(workplace, zygote, monkeypatch):
    workplace.write_alerts(ALERTS)
    zygote.run(workplace, baseline())
    monkeypatch.setenv("TARGET_TWILIO_ALERTS_LOGLEVEL", "DEBUG")
    told = workplace.run(lines(1)).stderr
    assert "DEBUG" in told
    for name in ("auth_token", "sendgrid_api_key"):
        assert workplace.config[name] not in told
    assert PHONE.findall(told) == []
    assert EMAIL.findall(told) == []


def test_a_secret_of_a_wrong_type_is_named_and_not_shown(workplace, zygote):
    workplace.config["auth_token"] = 1234567890
    ended = zygote.run(workplace, baseline(), code=2)
    assert "auth_token: must be text, in quotes" in ended.stderr
    told = workplace.command("audit", code=1)
    assert "auth_token: must be text, in quotes" in told
    assert "1234567890" not in ended.stderr + told
