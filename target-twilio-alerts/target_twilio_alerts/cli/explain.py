"""``twilio-alerts explain``: what each rule says of a document, and who was told or why not."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.documents import load_values
from target_twilio_alerts.intake import rate_records
from target_twilio_alerts.intake.neighbours import Neighbours
from target_twilio_alerts.ledger import rates as ledger_rates
from target_twilio_alerts.ledger import runs, versions
from target_twilio_alerts.ledger.tables import alerts as alerts_table
from target_twilio_alerts.ledger.tables import audit_events, documents, iso_utc, messages
from target_twilio_alerts.rules import Outcome, Surroundings, decide
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.ledger.versions import StoredVersion
    from target_twilio_alerts.rules import Alerts, Rule

_ANSWERS = {True: "yes", False: "no", None: "unknown"}

NOT_ENABLED = "not enabled"
OTHER_COMPANY = "the rule is for other companies"
BASELINE = "baseline: it was there when the stream was first read, and alerted nobody"


@dataclass(frozen=True)
class Told:
    """One rule's story of a document.

    Attributes:
        rule: Its name.
        stage: What came of it, or what stopped it.
        reason: The condition's values, in words.
        terms: Each part of the condition: itself, its answer, and its values.
        alerts: Alerts that were raised, with what became of their messages.
    """

    rule: str
    stage: str
    reason: str
    terms: list[dict[str, str]]
    alerts: list[dict[str, object]] = field(default_factory=list)


@click.command()
@click.argument("stream")
@click.argument("key")
@click.option("--company", help="Only the document of this company.")
@click.option("--rule", help="Only this rule.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each document.")
@click.pass_obj
@told_in_one_line
def explain(
    workplace: Workplace,
    stream: str,
    key: str,
    *,
    company: str | None,
    rule: str | None,
    as_json: bool,
) -> None:
    """Tell what each rule says of a document now, part by part, and what stopped it.

    STREAM is a stream or an entity, such as supplier_invoices; KEY the document's number.
    """
    alerts = workplace.alerts
    entity = _entity(alerts, stream)
    rules = [one for one in (*alerts.rules, *alerts.disabled) if one.entity.name == entity.name]
    if rule is not None:
        rules = [one for one in rules if one.name == rule]
        if not rules:
            raise click.ClickException(f"no rule {rule} about {entity.name} in the alerts file")
    with workplace.ledger() as ledger, ledger.read() as connection:
        _load_rates(connection, alerts)
        found = list(_documents(connection, entity, key, company))
        if not found:
            raise click.ClickException(
                f"the ledger has no {entity.name} {key}" + (f" of {company}" if company else ""),
            )
        for version in found:
            stories = [_story(connection, alerts, one, version) for one in rules]
            values = load_values(version.header, entity)
            (_print_json if as_json else _print)(version, entity, values, stories)


def _entity(alerts: Alerts, name: str) -> Entity:
    known = {**{one.name: one for one in alerts.entities.values()}, **alerts.entities}
    entity = known.get(name)
    if entity is None:
        raise click.ClickException(f"no stream or entity {name}; {suggestion(name, known, '')}")
    return entity


def _load_rates(connection: Connection, alerts: Alerts) -> None:
    if alerts.rates.type is not None:
        stored = ledger_rates.load(connection, alerts.rates.type)
        alerts.rates.add(rate_records.from_ledger(one) for one in stored)


def _documents(
    connection: Connection, entity: Entity, key: str, company: str | None
) -> Iterator[StoredVersion]:
    """The newest versions of documents that have the number, or a key of that value."""
    table = documents.c
    wanted = json.dumps(key, ensure_ascii=False)
    ids = connection.execute(
        sa.select(table.id)
        .where(
            table.stream == entity.stream,
            sa.or_(
                table.key.contains(wanted, autoescape=True),
                table.header.contains(f'"number":{wanted}', autoescape=True),
            ),
        )
        .order_by(table.id),
    ).scalars()
    for version in versions.load(connection, ids.all()).values():
        values = load_values(version.header, entity)
        if company is None or values.get("company") == company:
            yield version


def _story(connection: Connection, alerts: Alerts, rule: Rule, version: StoredVersion) -> Told:
    values = load_values(version.header, rule.entity)
    before = versions.header_before(connection, version)
    previous = None if before is None else load_values(before, rule.entity)
    around = _around(connection, alerts, rule, version, values)
    decision = decide(rule, values, previous, around=around, before_on=around.today)
    raised = _alerts(connection, rule, version)
    terms = [
        {"part": part, "answer": _ANSWERS[answer], "values": shown}
        for part, answer, shown in rule.condition.terms(values, previous, around)
    ]
    if rule in alerts.disabled:
        stage = NOT_ENABLED
    elif rule.companies and values.get("company") not in rule.companies:
        stage = OTHER_COMPANY
    elif raised and decision.outcome in {Outcome.ALERT, Outcome.ALREADY_TRUE}:
        stage = "alert"
    else:
        stage = _stage(connection, rule, version, decision.outcome)
    return Told(rule.name, stage, decision.reason, terms, raised)


def _around(
    connection: Connection,
    alerts: Alerts,
    rule: Rule,
    version: StoredVersion,
    values: Mapping[str, Value],
) -> Surroundings:
    zone = alerts.timezone
    today = None if zone is None else runs.utc_now().astimezone(zone).date()
    days = rule.condition.recent_days
    if not days:
        return Surroundings(today, alerts.rates)
    near = Neighbours(partial(versions.of_group, connection), {rule.entity.name: days})
    return Surroundings(today, alerts.rates, near.of(rule.entity, version.id, values))


def _stage(connection: Connection, rule: Rule, version: StoredVersion, outcome: Outcome) -> str:
    """What came of a document that raised no alert."""
    if version.baseline and outcome in {Outcome.ALERT, Outcome.ALREADY_TRUE}:
        return BASELINE
    if outcome is not Outcome.ALERT:
        return str(outcome.value).replace("_", " ")
    withheld = connection.execute(
        sa.select(audit_events.c.alert_id).where(
            audit_events.c.kind == "alert_withheld",
            audit_events.c.body.contains(f'"document":"{version.id}"', autoescape=True),
            audit_events.c.body.contains(json.dumps(rule.name), autoescape=True),
        ),
    ).first()
    if withheld is not None:
        return f"already told: alert {withheld.alert_id} stands for it (once_per)"
    return "true, but it was true already when the rule began, or time passed since"


def _alerts(connection: Connection, rule: Rule, version: StoredVersion) -> list[dict[str, object]]:
    table = alerts_table.c
    rows = connection.execute(
        sa.select(table.id, table.raised_at, table.reason)
        .where(table.rule == rule.name, table.document_id == version.id)
        .order_by(table.raised_at, table.id),
    ).all()
    told: list[dict[str, object]] = []
    for row in rows:
        sent = connection.execute(
            sa.select(
                messages.c.id,
                messages.c.recipient,
                messages.c.channel,
                messages.c.state,
                messages.c.reason,
            )
            .where(messages.c.alert_id == row.id)
            .order_by(messages.c.created_at, messages.c.id),
        ).all()
        told.append(
            {
                "alert": row.id,
                "raised_at": iso_utc(row.raised_at),
                "reason": row.reason,
                "messages": [dict(one._mapping) for one in sent],  # noqa: SLF001 - its public name
            }
        )
    return told


def _print_json(
    version: StoredVersion,
    entity: Entity,
    values: Mapping[str, Value],
    stories: list[Told],
) -> None:
    row = {
        "stream": entity.stream,
        "entity": entity.name,
        "company": values.get("company"),
        "number": values.get("number"),
        "version": version.ordinal,
        "seen_at": iso_utc(version.seen_at),
        "rules": [asdict(story) for story in stories],
    }
    click.echo(json.dumps(row, ensure_ascii=False))


def _print(
    version: StoredVersion,
    entity: Entity,
    values: Mapping[str, Value],
    stories: list[Told],
) -> None:
    named = [values.get(name) for name in ("type", "number", "company")]
    title = ", ".join(str(one) for one in named if one is not None)
    click.echo(
        f"{entity.label} {title}: version {version.ordinal}, seen {iso_utc(version.seen_at)}"
    )
    if not stories:
        click.echo(f"  no rule is about {entity.name}")
    for story in stories:
        click.echo(f"  {story.rule}: {story.stage}")
        for term in story.terms:
            shown = "" if term["values"] == term["part"] else f"   ({term['values']})"
            click.echo(f"    {term['answer']:>7}  {term['part']}{shown}")
        for alert in story.alerts:
            click.echo(f"    alert {alert['alert']} of {alert['raised_at']}: {alert['reason']}")
            for one in alert["messages"]:  # type: ignore[attr-defined]
                why = f": {one['reason']}" if one["reason"] else ""
                told = f"{one['recipient']} by {one['channel']}"
                click.echo(f"      {one['id']} {told}: {one['state']}{why}")
