"""A ledger as an earlier version of the target would have left it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from ledgers import is_postgresql

from target_twilio_alerts.ledger import events, store, tables

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

FOLDER = str(Path(store.__file__).parent / "migrations")
ERASABLE_SINCE = "0013"
"""Before it the trail told what alerts say of documents in plain words."""


def aged(url: str, folder: Path, databases: Any, revision: str) -> str:
    """The URL of a new ledger of a revision, with all of another one that it has a place for."""
    made = databases.bare() if is_postgresql(url) else f"sqlite:///{folder / f'{revision}.db'}"
    old, new = sa.create_engine(url), sa.create_engine(made)
    config = Config()
    config.set_main_option("script_location", FOLDER)
    with new.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    with old.connect() as source, new.begin() as connection:
        for table in tables.metadata.sorted_tables:
            if sa.inspect(connection).has_table(table.name):
                _copy(source, connection, table, revision)
    old.dispose()
    new.dispose()
    return made


def _copy(source: Connection, target: Connection, table: sa.Table, revision: str) -> None:
    columns = {one["name"] for one in sa.inspect(target).get_columns(table.name)}
    kept = [column for column in table.c if column.name in columns]
    query = sa.select(*kept)
    if table is tables.audit_events:
        query = query.order_by(tables.audit_events.c.seq)
    rows = [dict(row) for row in source.execute(query).mappings()]
    if revision < ERASABLE_SINCE and table is tables.audit_events:
        rows = _in_plain_words(rows, source)
    if table is tables.chain_head:
        last = sa.select(tables.audit_events.c.hash).order_by(tables.audit_events.c.seq.desc())
        values = {**rows[0], "hash": target.execute(last).scalar()}
        target.execute(sa.update(table).values(values))
    elif rows:
        places = [sa.column(column.name, column.type) for column in kept]
        target.execute(sa.insert(sa.table(table.name, *places)), rows)


def _in_plain_words(rows: list[dict[str, Any]], source: Connection) -> list[dict[str, Any]]:
    """The trail as it was sealed when what alerts say could not be erased."""
    table = tables.alerts.c
    query = sa.select(table.id, table.reason, table.decision)
    said = {
        one.id: {"reason": one.reason, "decision": one.decision} for one in source.execute(query)
    }
    seal = events.GENESIS
    for row in rows:
        if row["kind"] == "alert_raised":
            told = json.loads(row["body"]).items()
            body = {name: value for name, value in told if not name.endswith("_hash")}
            row["body"] = events.canonical_json({**body, **said[row["alert_id"]]})
        row["previous_hash"] = seal
        row["hash"] = seal = events.event_hash(row)
    return rows
