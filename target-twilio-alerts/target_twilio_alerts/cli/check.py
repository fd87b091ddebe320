"""``twilio-alerts check``: is the alerts file right, and will it send?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from target_twilio_alerts import wiring
from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.delivery.channels.senders import Senders
from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.ledger import LedgerError, events, opt_outs
from target_twilio_alerts.messages import Messages, TemplateUse
from target_twilio_alerts.rules import AlertsFileError
from target_twilio_alerts.rules.expressions.needed import needed_fields
from target_twilio_alerts.rules.expressions.never import contradiction
from target_twilio_alerts.rules.model import Owner

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.delivery.channels import CheckResult
    from target_twilio_alerts.rules import Alerts, Rule


class _Results:
    """What was checked, told at once: a line for people, or one of JSON.

    Args:
        as_json: Whether programs read it.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.wrong = 0

    def tell(self, what: str, *, ok: bool) -> None:
        """Tell one result."""
        self.wrong += not ok
        if self._as_json:
            click.echo(json.dumps({"ok": ok, "what": what}, ensure_ascii=False))
        else:
            click.echo(f"{'ok    ' if ok else 'WRONG '} {what}")

    def tell_all(self, channel: str, found: Iterable[CheckResult]) -> None:
        """Tell what a channel found."""
        for result in found:
            # A provider's error may bring the same advice with it.
            mend = "" if result.ok or not result.mend or result.mend in result.what else result.mend
            self.tell(f"{channel}: {result.what}" + (f"; {mend}" if mend else ""), ok=result.ok)


@click.command()
@click.option(
    "--online",
    is_flag=True,
    help="Also ask Twilio and SendGrid (credentials, sender), and open the ledger.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each result.")
@click.pass_obj
@told_in_one_line
def check(workplace: Workplace, *, online: bool, as_json: bool) -> None:
    """Check the alerts file, the templates and the settings; nothing is sent.

    Exits with 1 when something must be mended.
    """
    results = _Results(as_json=as_json)
    try:
        alerts = workplace.alerts
    except AlertsFileError as error:
        for mistake in error.mistakes:
            results.tell(str(mistake), ok=False)
        raise click.exceptions.Exit(1) from None
    settings, every = workplace.settings, (*alerts.rules, *alerts.disabled)
    locales = tuple(sorted({one.locale for one in alerts.recipients.values()}))
    uses = [_template_use(alerts.path.name, rule, locales) for rule in every]
    problems = [
        *workplace.unknown_settings(),
        *map(str, Messages(settings.templates_dir).check(uses)),
        *_hopeless(alerts.path.name, every),
        *wiring.anchor_mistakes(settings, alerts),
    ]
    for problem in problems:
        results.tell(problem, ok=False)
    rules, people = _count(alerts.rules, "rule"), _count(alerts.recipients, "recipient")
    disabled = f" ({len(alerts.disabled)} more not enabled)" if alerts.disabled else ""
    results.tell(f"{settings.alerts_file}: {rules}{disabled}, {people}", ok=True)
    for name in wiring.used_channels(alerts, settings):
        if missing := settings.missing_for(name):
            results.tell(f"{name}: {missing} is not set", ok=False)
        else:
            results.tell(f"{name}: settings are complete", ok=True)
            if name == "sms":
                numbers = {one.name: one.sms for one in alerts.recipients.values()}
                default = settings.messaging_service_sid or settings.from_number or ""
                results.tell_all(name, Senders(default, settings.senders).check(numbers))
            if online:
                _ask(workplace, name, results)
    if online:
        _open_ledger(workplace, results)
    if results.wrong:
        raise click.exceptions.Exit(1)


def _hopeless(file: str, rules: Iterable[Rule]) -> Iterator[str]:
    """Rules that can never alert."""
    for rule in rules:
        parts = contradiction(rule.condition.tree)
        if parts is not None:
            yield (
                f"{file}:{rule.line}: rule {rule.name!r}: can never alert, since {parts} cannot "
                "hold at once; correct its condition"
            )


def _template_use(file: str, rule: Rule, locales: tuple[str, ...]) -> TemplateUse:
    return TemplateUse(
        rule=rule.name,
        entity=rule.entity.name,
        template=rule.template,
        channels=rule.alert_channels,
        fields={name: field.kind.value for name, field in rule.entity.fields.items()},
        max_segments=rule.max_segments,
        nullable=_nullable(rule),
        locales=locales,
        file=file,
        line=rule.line,
    )


def _nullable(rule: Rule) -> frozenset[str]:
    """Fields that may be null when a rule alerts: neither its condition nor the key needs them."""
    entity = rule.entity
    of_key = {name for name, one in entity.fields.items() if one.sources[0] in entity.key}
    if entity.name in ENTITIES:
        of_key = {"company", "number"}
    return frozenset(entity.fields) - of_key - needed_fields(rule.condition.tree)


def _count(things: Collection[object], name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _open_ledger(workplace: Workplace, results: _Results) -> None:
    try:
        with workplace.sending_ledger() as ledger, ledger.read() as connection:
            number, _ = events.head(connection)
            left = list(_operators_who_left(connection, workplace.alerts))
    except LedgerError as error:
        results.tell(str(error), ok=False)
    else:
        results.tell(f"{ledger.description}: opens, {number} events", ok=True)
        for problem in left:
            results.tell(problem, ok=False)


def _operators_who_left(connection: Connection, alerts: Alerts) -> Iterator[str]:
    """Operators, and whoever may be on duty for them, who opted out of how they are told."""
    known = opt_outs.load(connection)
    owner = alerts.operators or Owner((), ())
    for name in owner.recipients:
        rotation = alerts.rotations.get(name)
        for member in (name,) if rotation is None else rotation.members:
            for channel in owner.via:
                addresses = alerts.recipients[member].addresses(channel)
                if any(known.of(channel, one) for one in addresses):
                    yield (
                        f"operators: {member} opted out of {channel}, and is not told of failures; "
                        "tell them by another channel, or let them opt in again"
                    )


def _ask(workplace: Workplace, name: str, results: _Results) -> None:
    channel = wiring.build_channels(workplace.settings, [name])[name]
    try:
        found = channel.check()
    finally:
        channel.close()
    results.tell_all(name, found)
