"""``twilio-alerts erase``: forget addresses and texts, of a person or by age; the trail stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_twilio_alerts.audit import erasure
from target_twilio_alerts.audit.erasure import Scope
from target_twilio_alerts.audit.settings import LEAST_RETENTION, parse_age
from target_twilio_alerts.cli.workplace import REASON_OPTION, operator_name, told_in_one_line
from target_twilio_alerts.ledger import runs

if TYPE_CHECKING:
    from datetime import datetime

    from target_twilio_alerts.audit.erasure import Found
    from target_twilio_alerts.cli.workplace import Workplace


@click.command()
@click.argument("recipient", required=False)
@click.option("--address", help="Messages to this number or email address.")
@click.option("--older-than", help="Only what is older than this: 400d or 57w.")
@REASON_OPTION
@click.option("--yes", is_flag=True, help="Do it; without, it only says what it would erase.")
@click.pass_obj
@told_in_one_line
def erase(
    workplace: Workplace,
    *,
    recipient: str | None,
    address: str | None,
    older_than: str | None,
    reason: str,
    yes: bool,
) -> None:
    """Erase addresses and texts of messages to RECIPIENT, to an address, or of some age.

    By age alone also what alerts say of documents, and versions of documents that others have
    replaced. The audit trail keeps salted hashes, and `audit verify` still agrees; opt-outs stay.
    """
    scope = Scope(recipient, _address(address), _before(older_than))
    if scope == Scope():
        raise click.ClickException("nothing to erase: name a RECIPIENT, --address or --older-than")
    with workplace.ledger() as ledger:
        with ledger.read() as connection:
            found = erasure.look(connection, scope)
        if found.is_nothing:
            raise click.ClickException(
                "nothing to erase: " + (_under_way(found) or "nothing in the ledger fits"),
            )
        if not yes:
            click.echo(f"Would erase {_told(found)}. Nothing was erased: add --yes")
            return
        done = erasure.erase(
            ledger, scope, at=runs.utc_now(), operator=operator_name(), reason=reason
        )
        click.echo(f"Erased {_told(done)}")
        left = erasure.compact(ledger)
        if left is not None:
            click.echo(
                f"The file may still hold what was erased, where nothing is kept now: {left}; end "
                "what uses the ledger and run `VACUUM` in it",
                err=True,
            )


def _address(text: str | None) -> str | None:
    """An address as it is kept: without the blanks and brackets that people write numbers with."""
    if text is None or "@" in text:
        return None if text is None else text.strip()
    return "".join(letter for letter in text if letter not in " ()-.")


def _before(older_than: str | None) -> datetime | None:
    if older_than is None:
        return None
    age = parse_age(older_than)
    if age is None or age < LEAST_RETENTION:
        raise click.ClickException(
            f"--older-than {older_than}: write a span of {LEAST_RETENTION.days} days or more, as "
            "in 400d or 57w",
        )
    return runs.utc_now() - age


def _under_way(found: Found) -> str:
    if not found.under_way:
        return ""
    return (
        f"{found.under_way} messages are under way, and stay until it is known what became of "
        "them: then erase again"
    )


def _told(found: Found) -> str:
    parts = [f"the address and text of {found.messages} messages"]
    if found.oldest is not None and found.newest is not None:
        parts[0] += f" ({found.oldest:%Y-%m-%d} to {found.newest:%Y-%m-%d})"
    if found.alerts:
        parts.append(f"what {found.alerts} alerts say of their documents")
    if found.versions:
        parts.append(f"{found.versions} versions of documents that others have replaced")
    told = ", ".join(parts)
    return f"{told}; {_under_way(found)}" if found.under_way else told
