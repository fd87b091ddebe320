"""``twilio-alerts check``: is the alerts file right, and will it send?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_twilio_alerts import wiring
from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.ledger import LedgerError, events
from target_twilio_alerts.messages import Messages, TemplateUse
from target_twilio_alerts.rules import AlertsFileError

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.rules import Rule


@click.command()
@click.option(
    "--online",
    is_flag=True,
    help="Also ask Twilio and SendGrid (credentials, sender), and open the ledger.",
)
@click.pass_obj
@told_in_one_line
def check(workplace: Workplace, *, online: bool) -> None:
    """Check the alerts file, the templates and the settings; nothing is sent.

    Exits with 1 when something must be mended.
    """
    try:
        alerts = workplace.alerts
    except AlertsFileError as error:
        for mistake in error.mistakes:
            click.echo(f"WRONG  {mistake}")
        raise click.exceptions.Exit(1) from None
    settings = workplace.settings
    problems = [
        *workplace.unknown_settings(),
        *map(
            str,
            Messages(settings.templates_dir).check(
                map(_template_use, (*alerts.rules, *alerts.disabled))
            ),
        ),
    ]
    for problem in problems:
        click.echo(f"WRONG  {problem}")
    rules, people = _count(alerts.rules, "rule"), _count(alerts.recipients, "recipient")
    disabled = f" ({len(alerts.disabled)} more not enabled)" if alerts.disabled else ""
    click.echo(f"ok     {settings.alerts_file}: {rules}{disabled}, {people}")
    wrong = len(problems)
    for name in wiring.used_channels(alerts):
        if missing := settings.missing_for(name):
            click.echo(f"WRONG  {name}: {missing} is not set")
            wrong += 1
        else:
            click.echo(f"ok     {name}: settings are complete")
            wrong += _ask(workplace, name) if online else 0
    if online:
        wrong += _open_ledger(workplace)
    if wrong:
        raise click.exceptions.Exit(1)


def _template_use(rule: Rule) -> TemplateUse:
    return TemplateUse(
        rule=rule.name,
        entity=rule.entity.name,
        template=rule.template,
        channels=rule.alert_channels,
        fields={name: field.kind.value for name, field in rule.entity.fields.items()},
        max_segments=rule.max_segments,
    )


def _count(things: Collection[object], name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _open_ledger(workplace: Workplace) -> int:
    try:
        with workplace.ledger() as ledger, ledger.read() as connection:
            number, _ = events.head(connection)
    except LedgerError as error:
        click.echo(f"WRONG  {error}")
        return 1
    click.echo(f"ok     {ledger.description}: opens, {number} events")
    return 0


def _ask(workplace: Workplace, name: str) -> int:
    wrong = 0
    channel = wiring.build_channels(workplace.settings, [name])[name]
    try:
        results = channel.check()
    finally:
        channel.close()
    for result in results:
        if result.ok:
            click.echo(f"ok     {name}: {result.what}")
        else:
            # A provider's error may bring the same advice with it.
            mend = "" if not result.mend or result.mend in result.what else f"; {result.mend}"
            click.echo(f"WRONG  {name}: {result.what}{mend}")
            wrong += 1
    return wrong
