"""The main job, seen from outside: business happens in a sandbox, and the right people are told.

Starts the sandbox, runs the real ``meltano run tap-visma target-twilio-alerts`` three times around
some business activity, and tells in plain words who was told what and why, and who was not.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_visma.settings import SETTINGS as TAP_SETTINGS
from target_twilio_alerts.documents import ENTITIES, load_values
from target_twilio_alerts.ledger import Ledger
from target_twilio_alerts.ledger.tables import documents
from target_twilio_alerts.rules import NOWHERE, load_alerts
from target_twilio_alerts.settings import SETTINGS as TARGET_SETTINGS
from visma_twilio_sandbox import Sandbox, business

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".demo"
LEDGER = PLACE / "ledger.db"
HISTORY = 400
SEED = 7


class DemoError(Exception):
    """The demo did not show what it promises."""


@dataclass(frozen=True)
class Happening:
    """One thing that happens in the company, as a person would tell it."""

    told: str
    entity: str
    number: str


def main() -> None:
    """Run the demo; exits with 0 only if everything went as told."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        with Sandbox(seed=SEED) as sandbox:
            show(sandbox)
            _say(f"\nDone in {time.monotonic() - started:.0f} s.")
            if os.environ.get("KEEP"):
                _say(f"The telephones and inboxes: {sandbox.control_url}  (Ctrl-C ends it)")
                signal.pause()
    except DemoError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def show(sandbox: Sandbox) -> None:
    """Three runs around some business."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    environment = _environment(sandbox)
    name_the_people(sandbox)
    _say(f"A sandbox of Visma.net, Twilio and SendGrid is up; its page: {sandbox.control_url}")
    business.history(sandbox.visma, documents=HISTORY, seed=SEED)
    order = before_the_first_run(sandbox)
    install(environment)

    _head("1. First contact: a company with history")
    run(environment, "run-1")
    _say(f"{_known_documents()} documents are recorded as the baseline.")
    _expect(sandbox, messages=0)
    _say("Nobody was alerted.")

    _head("2. Business happens")
    happenings = do_business(sandbox, order)
    for happening in happenings:
        _say(f"- {happening.told}")

    _head("3. The next run, as every five minutes")
    run(environment, "run-2")
    sandbox.twilio.settle()
    trail = audit(environment)
    tell_sent(trail, sandbox)
    tell_not_sent(happenings, trail)

    _head("5. A third run: nothing new, nobody is told again")
    before = len(sandbox.twilio.messages) + len(sandbox.sendgrid.emails)
    run(environment, "run-3")
    _expect(sandbox, messages=before)
    delivered = sum(1 for row in audit(environment) if row["state"] == "delivered")
    _say(f"No message was sent. {delivered} SMS are known to be delivered by now.")

    _head("How to look further")
    _say("  .venv/bin/meltano --environment=demo invoke target-twilio-alerts:audit")
    _say(
        "  .venv/bin/meltano --environment=demo invoke target-twilio-alerts:audit show "
        f"{trail[0]['message']}",
    )
    _say("  alerts/alerts.yml has the rules; .demo/ has the ledger and the logs of the runs.")


def before_the_first_run(sandbox: Sandbox) -> dict[str, Any]:
    """A purchase order below its approval threshold, which will grow."""
    return sandbox.visma.put(
        "purchaseorder",
        business.purchase_order(number="PO-1001", total=Decimal("80000.00")),
    )


def do_business(sandbox: Sandbox, order: Mapping[str, Any]) -> list[Happening]:
    """What happens between two runs."""
    visma, today = sandbox.visma, datetime.now().astimezone().date()
    due = today + timedelta(days=30)
    happenings = []
    for number, amount, told in (
        ("900001", "75000.00", "a supplier invoice over 75,000.00 SEK arrives"),
        ("900002", "1200.00", "a small one over 1,200.00 SEK arrives"),
        ("900003", "50000.00", "one at exactly 50,000.00 SEK arrives, which is not over 50,000"),
    ):
        invoice = business.supplier_invoice(
            number=number,
            amount=Decimal(amount),
            date=today,
            due_date=due,
        )
        visma.put("supplierInvoice", invoice)
        happenings.append(Happening(told, "supplier_invoice", number))
    key = {name: order[name] for name in ("orderType", "orderNbr")}
    visma.change(
        "purchaseorder",
        key,
        **business.purchase_order_totals(Decimal("125000.00")),
    )
    happenings.append(
        Happening(
            "purchase order PO-1001 grows from 80,000.00 to 125,000.00 SEK",
            "purchase_order",
            "PO-1001",
        ),
    )
    payment = business.supplier_payment(number="700001", amount=Decimal("31250.00"))
    visma.put("supplierPayment", {**payment, "status": "Open"})
    visma.change("supplierPayment", {"type": "Payment", "refNbr": "700001"}, status="Closed")
    happenings.append(
        Happening("a supplier payment of 31,250.00 SEK closes", "supplier_payment", "700001"),
    )
    journal, transactions = business.gl_journal(number="GL0009001", amount=Decimal("9800.00"))
    visma.put("journaltransaction", journal)
    for transaction in transactions:
        visma.put("GeneralLedgerTransactions", transaction)
    happenings.append(
        Happening("a GL journal of 9,800.00 SEK is posted", "journal_transaction", "GL0009001"),
    )
    return happenings


def tell_sent(trail: list[dict[str, Any]], sandbox: Sandbox) -> None:
    """What was sent to whom, and why; compared with what the sandbox really accepted."""
    _head("4. What was sent to whom, and why")
    alerts = load_alerts(ROOT / "alerts" / "alerts.yml")
    whens = {rule.name: rule.when for rule in alerts.rules}
    accepted = {message.sid: message.body for message in sandbox.twilio.messages}
    accepted |= {email.message_id: email.subject for email in sandbox.sendgrid.emails}
    if sorted(row["sid"] for row in trail) != sorted(accepted):
        raise DemoError("the ledger and the sandbox do not agree on what was sent")
    for row in trail:
        person = alerts.recipients[row["recipient"]].display_name
        _say(f"\n{person} got an {row['channel'].replace('sms', 'SMS')} for {row['document']}:")
        _say(f"    {accepted[row['sid']]}")
        _say(f"    why: rule {row['rule']}: {whens[row['rule']]}")
        _say(f"    {row['state']}, SID {row['sid']}")
    rules = {row["rule"] for row in trail}
    for needed in ("large-supplier-invoice", "purchase-order-approval", "payment-closed"):
        if needed not in rules:
            raise DemoError(f"rule {needed} told nobody")


def tell_not_sent(happenings: list[Happening], trail: list[dict[str, Any]]) -> None:
    """What was seen and told nobody: decided anew from the ledger, with the values that count."""
    _say("\nWhat was seen and told nobody:")
    told = {row["document"].rsplit(" ", 1)[-1] for row in trail}
    alerts = load_alerts(ROOT / "alerts" / "alerts.yml")
    for happening in happenings:
        if happening.number in told:
            continue
        values = _stored_values(happening)
        for rule in alerts.rules:
            if rule.entity.name != happening.entity:
                continue
            verdict = rule.condition.decide(values, None, NOWHERE)
            if verdict.answer:
                raise DemoError(f"{happening.told}: rule {rule.name} holds, but nobody was told")
            seen = ", ".join(f"{name} = {values.get(name)}" for name in rule.condition.fields)
            _say(f"- {happening.told}: rule {rule.name} does not hold ({seen})")


def _stored_values(happening: Happening) -> Mapping[str, Any]:
    entity = ENTITIES[happening.entity]
    ledger = Ledger(f"sqlite:///{LEDGER}")
    with ledger.read() as connection:
        query = documents.select().where(documents.c.entity == happening.entity)
        for row in connection.execute(query):
            values = load_values(row.header, entity)
            if values.get("number") == happening.number:
                ledger.close()
                return values
    ledger.close()
    raise DemoError(f"{happening.told}: the ledger has not seen it")


def install(environment: dict[str, str]) -> None:
    """Let Meltano make the plugins' environments, the first time."""
    if (ROOT / ".meltano" / "loaders" / "target-twilio-alerts" / "venv").is_dir():
        return
    _say("Meltano installs the plugins (the first time only) ...")
    _meltano(environment, "install-plugins", "install", "tap-visma", "target-twilio-alerts")


def run(environment: dict[str, str], name: str) -> None:
    """The main job, for real."""
    _say("$ meltano run tap-visma target-twilio-alerts")
    _meltano(environment, name, "run", "tap-visma", "target-twilio-alerts")


def audit(environment: dict[str, str]) -> list[dict[str, Any]]:
    """The audit trail, as the operator's command tells it."""
    arguments = ("invoke", "target-twilio-alerts:audit", "--format", "jsonl")
    output = _meltano(environment, "audit", *arguments)
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def _meltano(environment: dict[str, str], name: str, *arguments: str) -> str:
    """Run Meltano; its log goes to ``.demo/NAME.log``; gives its standard output."""
    log = PLACE / f"{name}.log"
    with log.open("w", encoding="utf-8") as errors:
        ended = subprocess.run(
            [_script("meltano"), "--environment=demo", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )
    if ended.returncode != 0:
        lines = (log.read_text(encoding="utf-8") + ended.stdout).splitlines()[-15:]
        told = "\n".join(lines)
        raise DemoError(f"meltano {' '.join(arguments)} ended with {ended.returncode}:\n{told}")
    return ended.stdout


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _environment(sandbox: Sandbox) -> dict[str, str]:
    """Settings that point to the sandbox, whatever `.env` and the shell say of real services."""
    plugins = {"TAP_VISMA": TAP_SETTINGS, "TARGET_TWILIO_ALERTS": TARGET_SETTINGS}
    defaults = {
        f"{plugin}_{name.upper()}": str(schema.get("default", _unset(schema["type"])))
        for plugin, known in plugins.items()
        for name, schema in known["properties"].items()
        if "default" in schema or _unset(schema["type"]) is not None
    }
    return {
        **os.environ,
        **defaults,
        **sandbox.settings(),
        "TARGET_TWILIO_ALERTS_LEDGER_URL": f"sqlite:///{LEDGER}",
        "MELTANO_DATABASE_URI": f"sqlite:///{PLACE / 'meltano.db'}",
    }


def _unset(kinds: Sequence[str]) -> str | None:
    """A setting's text when it is not set; None if Meltano has none for its kind."""
    texts = {"string": "", "array": "[]", "object": "{}"}
    return next((texts[kind] for kind in kinds if kind in texts), None)


def name_the_people(sandbox: Sandbox) -> None:
    """Let the page show names beside numbers and addresses."""
    for recipient in load_alerts(ROOT / "alerts" / "alerts.yml").recipients.values():
        for channel in ("sms", "email"):
            for address in recipient.addresses(channel):
                sandbox.page_names[address] = recipient.display_name


def _expect(sandbox: Sandbox, *, messages: int) -> None:
    sent = len(sandbox.twilio.messages) + len(sandbox.sendgrid.emails)
    if sent != messages:
        raise DemoError(f"{sent} messages were accepted, not {messages}")


def _known_documents() -> int:
    ledger = Ledger(f"sqlite:///{LEDGER}")
    with ledger.read() as connection:
        number = len(connection.execute(documents.select()).all())
    ledger.close()
    return number


def _head(text: str) -> None:
    _say(f"\n== {text}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
