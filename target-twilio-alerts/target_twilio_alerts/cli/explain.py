"""``twilio-alerts explain``: what each rule says of a document, and who was told or why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from target_twilio_alerts.cli.workplace import told_in_one_line
from target_twilio_alerts.documents import UnusableRecord, load_values
from target_twilio_alerts.documents.typed import DELETED_AT
from target_twilio_alerts.intake.arrivals import arrive
from target_twilio_alerts.ledger import runs, versions
from target_twilio_alerts.ledger.tables import complete_reads, documents, iso_utc
from target_twilio_alerts.reading import AlertsReader, ProtocolError
from target_twilio_alerts.rehearsal.stages import Stage
from target_twilio_alerts.rehearsal.story import Stories
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.intake.arrivals import Arrival
    from target_twilio_alerts.ledger.versions import StoredVersion
    from target_twilio_alerts.rehearsal.story import Story, Told
    from target_twilio_alerts.rules import Alerts, Rule


@click.command()
@click.argument("stream")
@click.argument("key")
@click.option("--company", help="Only the document of this company.")
@click.option("--rule", help="Only this rule.")
@click.option(
    "--record",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A tap's output: what the rules would say of its records of the document, came they now.",
)
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
    record: Path | None,
    as_json: bool,
) -> None:
    """Tell what each rule says of a document now, part by part, and what stopped it.

    STREAM is a stream or an entity, such as supplier_invoices; KEY the document's number.
    """
    entity = _entity(workplace.alerts, stream)
    rules = _rules(workplace.alerts, entity, rule)
    with workplace.known_ledger() as ledger, ledger.read() as connection:
        stories = Stories(connection, workplace.alerts, runs.utc_now())
        if record is None:
            found = [
                _row(entity, load_values(one.header, entity), stories.of_version(one, rules), one)
                for one in documents_of(connection, entity, key, company)
            ]
        else:
            found = [
                _row(entity, one.document.values, stories.of_record(one, rules))
                for one in _arrivals(record, entity, key, company)
            ]
        if not found:
            _nothing(connection, entity, key, company, record, as_json=as_json)
    for row in found:
        click.echo(_dumped(row) if as_json else _shown(entity, row))


def _entity(alerts: Alerts, name: str) -> Entity:
    known = {**{one.name: one for one in alerts.entities.values()}, **alerts.entities}
    entity = known.get(name)
    if entity is None:
        raise click.ClickException(f"no stream or entity {name}; {suggestion(name, known, '')}")
    return entity


def _rules(alerts: Alerts, entity: Entity, name: str | None) -> list[Rule]:
    rules = [one for one in (*alerts.rules, *alerts.disabled) if one.entity.name == entity.name]
    if name is None:
        return rules
    if name not in {one.name for one in rules}:
        raise click.ClickException(f"no rule {name} about {entity.name} in the alerts file")
    return [one for one in rules if one.name == name]


def documents_of(
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


def _arrivals(path: Path, entity: Entity, key: str, company: str | None) -> Iterator[Arrival]:
    """Records of a tap's output that are of the document; malformed ones are named.

    Raises:
        ClickException: It is no Singer stream.
    """
    reader = AlertsReader()
    keys: list[str] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                message: dict[str, Any] = reader.deserialize_json(line) if line.strip() else {}
            except ProtocolError as error:
                raise click.ClickException(f"{path}: {error}") from None
            if message.get("stream") != entity.stream:
                continue
            if message["type"] == "SCHEMA":
                keys = message.get("key_properties") or []
            elif message["type"] == "RECORD":
                arrival = _arrival(entity, message["record"], keys, f"{path.name}:{number}")
                if arrival is None:
                    continue
                document = arrival.document
                named = [document.values.get("number"), *json.loads(document.key)]
                if key in map(str, named) and company in {None, document.values.get("company")}:
                    yield arrival


def _arrival(
    entity: Entity, record: Mapping[str, Any], keys: list[str], place: str
) -> Arrival | None:
    deleted = record.get(DELETED_AT) is not None
    try:
        return arrive(entity, record, keys, baseline=False, deleted=deleted)
    except UnusableRecord as error:
        click.echo(f"{place}: {Stage.MALFORMED.words}: {error}", err=True)
    return None


def _nothing(
    connection: Connection,
    entity: Entity,
    key: str,
    company: str | None,
    record: Path | None,
    *,
    as_json: bool,
) -> None:
    """Tell why there is nothing to tell, and end with 1."""
    of = f"{entity.name} {key}" + (f" of {company}" if company else "")
    stage = Stage.NEVER_SEEN
    if record is not None:
        said = f"{record.name} has no {of}"
    elif _is_read(connection, entity.stream):
        said = f"the ledger has no {of}: no run has brought it"
    else:
        stage = Stage.STREAM_NOT_READ
        said = (
            f"the ledger has no {of}: no run has brought the stream {entity.stream}; add it to "
            "what the tap selects"
        )
    if not as_json:
        raise click.ClickException(said)
    row = {"stream": entity.stream, "entity": entity.name, "company": company, "number": key}
    click.echo(
        _dumped(
            {**row, "version": None, "seen_at": None, "stage": stage, "said": said, "rules": []}
        )
    )
    raise click.exceptions.Exit(1)


def _is_read(connection: Connection, stream: str) -> bool:
    """Whether a run has brought a stream."""
    return any(
        connection.execute(sa.select(table.c.stream).where(table.c.stream == stream)).first()
        for table in (complete_reads, documents)
    )


def _row(
    entity: Entity,
    values: Mapping[str, Value],
    stories: list[Story],
    version: StoredVersion | None = None,
) -> dict[str, Any]:
    return {
        "stream": entity.stream,
        "entity": entity.name,
        "company": values.get("company"),
        "type": values.get("type"),
        "number": values.get("number"),
        "version": None if version is None else version.ordinal,
        "seen_at": None if version is None else iso_utc(version.seen_at),
        "rules": stories,
    }


def _dumped(row: Mapping[str, Any]) -> str:
    rules = [story.as_json() for story in row["rules"]]
    return json.dumps({**row, "rules": rules}, ensure_ascii=False)


def _shown(entity: Entity, row: Mapping[str, Any]) -> str:
    named = [row["type"], row["number"], row["company"]]
    title = " ".join([entity.label, ", ".join(str(one) for one in named if one is not None)])
    seen = f"version {row['version']}, seen {row['seen_at']}"
    lines = [f"{title}: {seen if row['version'] else 'a record that came now'}"]
    if not row["rules"]:
        lines.append(f"  no rule is about {entity.name}")
    for story in row["rules"]:
        lines.append(f"  {story.rule}: {_with(story.stage.words, story.said)}")
        for term in story.terms:
            values = "" if term["values"] == term["part"] else f"   ({term['values']})"
            lines.append(f"    {term['answer']:>7}  {term['part']}{values}")
        for alert in story.alerts:
            lines += _shown_alert(alert)
    return "\n".join(lines)


def _shown_alert(alert: Told) -> Iterator[str]:
    of = "" if alert.kind == "alert" else " that it could not decide"
    yield f"    alert {alert.alert}{of}, version {alert.version}, {alert.raised_at}: {alert.reason}"
    if not alert.messages:
        yield f"      {_with(alert.stage.words, alert.said)}"
    for one in alert.messages:
        step = f", step {one['step']}" if one["step"] else ""
        why = f" ({one['because']})" if one["because"] else ""
        told = f"{one['recipient']} by {one['channel']}{step}{why}"
        yield f"      {one['message']} {told}: {_with(one['state'], one['reason'])}"
    for one in alert.steps:
        due = f"{one['state']}, due {one['due_at']}"
        yield f"      step {one['step']}: {_with(due, one['reason'])}"
    if alert.acknowledged:
        yield f"      acknowledged by {alert.acknowledged}"


def _with(what: str, more: str | None) -> str:
    return f"{what}: {more}" if more else what
