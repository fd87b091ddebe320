"""`meltano run tap-visma target-twilio-alerts`, as a customer runs it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from visma_twilio_sandbox import business


def invoice(number, amount):
    return business.supplier_invoice(
        number=number,
        amount=Decimal(amount),
        date=date(2026, 11, 20),
        due_date=date(2026, 12, 20),
    )


def test_from_first_contact_to_an_alert_and_its_trail(project, sandbox):
    business.history(sandbox.visma, documents=120, seed=3)
    project.run()
    assert project.known_documents() > 120
    assert sandbox.twilio.messages == []

    sandbox.visma.put("supplierInvoice", invoice("900001", "75000.00"))
    sandbox.visma.put("supplierInvoice", invoice("900002", "50000.00"))
    project.run("alerts")  # the job of the schedule
    told = {message.to: message.body for message in sandbox.twilio.messages}
    assert set(told) == {"+46701740605", "+46701740606"}
    assert all("900001" in body for body in told.values())
    assert "75 000,00 SEK" in told["+46701740605"].replace("\N{NO-BREAK SPACE}", " ")

    sandbox.twilio.settle()
    project.run()
    assert len(sandbox.twilio.messages) == 2
    trail = project.trail()
    assert [row["state"] for row in trail] == ["delivered", "delivered"]
    assert {row["sid"] for row in trail} == {one.sid for one in sandbox.twilio.messages}
    assert {row["document"] for row in trail} == {"Supplier invoice Invoice 900001"}


def test_a_backfill_that_a_rate_limit_cuts_off_is_one_baseline_over_two_runs(project, sandbox):
    business.history(sandbox.visma, documents=200, seed=5)
    sandbox.visma.max_page_size["supplierInvoice"] = 10
    fault = {"status": 429, "retry_after": 3600, "match": "/v1/supplierInvoice?pageNumber=3"}
    sandbox.faults.add("visma", **fault)
    project.run()
    assert sandbox.twilio.messages == []
    known = project.known_documents()
    project.run()
    assert project.known_documents() > known
    assert sandbox.twilio.messages == []
    sandbox.visma.put("supplierInvoice", invoice("900001", "75000.00"))
    project.run()
    assert len(sandbox.twilio.messages) == 2


def test_a_mistake_in_the_alerts_file_is_shown_and_nothing_is_lost(project, sandbox, tmp_path):
    business.history(sandbox.visma, documents=60, seed=3)
    project.run()
    text = (project.folder / "alerts" / "alerts.yml").read_text(encoding="utf-8")
    wrong = tmp_path / "alerts.yml"
    wrong.write_text(text.replace("amount > 50000", "amuont > 50000"), encoding="utf-8")
    sandbox.visma.put("supplierInvoice", invoice("900001", "75000.00"))
    ended = project.run(code=None, TARGET_TWILIO_ALERTS_ALERTS_FILE=str(wrong))
    told = ended.stdout + ended.stderr
    assert ended.returncode != 0
    line = text.splitlines().index("  large-supplier-invoice:") + 3
    assert f"alerts.yml:{line}: rule 'large-supplier-invoice': " in told
    assert "amuont" in told
    assert "amount" in told
    assert "BrokenPipe" not in told
    assert "Traceback" not in told
    project.run()
    assert len(sandbox.twilio.messages) == 2


def test_an_access_that_is_refused_ends_in_one_line(project):
    ended = project.run(code=None, TAP_VISMA_CLIENT_SECRET="wrong")
    assert ended.returncode != 0
    told = ended.stdout + ended.stderr
    assert "check client_id and client_secret" in told
    assert "Traceback" not in told


def test_meltanos_own_test_of_both_plugins(project):
    project.meltano("config", "test", "tap-visma")
    # Meltano 4.4.1 stops the target once more after it has ended well, and stumbles over that.
    told = project.meltano("config", "test", "target-twilio-alerts", code=None)
    assert "Test data was written to your target system" in told.stdout + told.stderr


def test_the_operators_commands_are_meltano_commands(project, sandbox):
    told = project.meltano("invoke", "target-twilio-alerts:check", "--online")
    assert "WRONG" not in told.stdout + told.stderr
    project.meltano(
        "invoke",
        "target-twilio-alerts:send-test",
        "ap-manager",
        "--channel",
        "sms",
    )
    assert len(sandbox.twilio.messages) == 1
    project.run("deliver")
    assert len(sandbox.twilio.messages) == 1


def test_the_schedules_are_there(project):
    told = project.meltano("schedule", "list").stdout
    assert "*/5 * * * *" in told
    assert "alerts" in told
