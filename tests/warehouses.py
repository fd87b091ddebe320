"""A real PostgreSQL, the loaders that Meltano installed, and what their tables should hold."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from projects import ROOT
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from ruamel.yaml import YAML
from tap_running import TapRunner

from tap_visma.tap import TapVisma

if TYPE_CHECKING:
    from projects import Project

SCHEMA = "visma"
read_json = partial(json.loads, parse_float=Decimal)


class Warehouse:
    """One database of a PostgreSQL server."""

    def __init__(self, server: Any, name: str) -> None:
        self.bin = Path(server.bin_path)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        self.url = server.get_uri(database=name)
        self.loader_url = server.get_uri(database=name, driver="psycopg")

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Rows by column name; numbers within JSON are Decimal."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            set_json_loads(read_json, connection)
            return connection.execute(statement).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)

    def types_of(self, table: str) -> dict[str, str]:
        rows = self.query(
            "SELECT column_name, data_type FROM information_schema.columns "
            f"WHERE table_schema = '{SCHEMA}' AND table_name = '{table}'"
        )
        return {row["column_name"]: row["data_type"] for row in rows}

    def apply_views(self) -> None:
        """As docs/warehouse.md says."""
        ended = subprocess.run(
            [
                *(self.bin / "psql", "-1", "-v", "ON_ERROR_STOP=1", self.url),
                *("-f", ROOT / "warehouse" / "views.sql"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr


def loader(project: Project, name: str) -> tuple[Path, dict[str, Any]]:
    """Where a loader's programs are, and the settings that meltano.yml gives it."""
    meltano = YAML(typ="safe").load(ROOT / "meltano.yml")
    (plugin,) = (one for one in meltano["plugins"]["loaders"] if one["name"] == name)
    programs = project.folder / ".meltano" / "loaders" / name / "venv" / "bin"
    if not programs.is_dir():
        project.meltano("install", name)
    return programs, dict(plugin["config"])


def load(project: Project, name: str, lines: list[str], **settings: Any) -> None:
    """Give a loader lines of our own."""
    programs, config = loader(project, name)
    place = project.place / f"{name}.json"
    place.write_text(json.dumps(config | settings), encoding="utf-8")
    ended = subprocess.run(
        [programs / name, "--config", place],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def rows_of_duckdb(project: Project, path: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table of a DuckDB file, read by the loader's own DuckDB."""
    programs, _ = loader(project, "target-duckdb")
    script = """if True:
        import duckdb, json, sys
        tables = {}
        with duckdb.connect(sys.argv[1], read_only=True) as connection:
            for (table,) in connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'visma'"
            ).fetchall():
                found = connection.execute(f"SELECT * FROM visma.{table}")
                names = [column[0] for column in found.description]
                tables[table] = [dict(zip(names, row)) for row in found.fetchall()]
        json.dump(tables, sys.stdout, default=str)
    """
    ended = subprocess.run(
        [programs / "python", "-c", script, path], capture_output=True, text=True, check=True
    )
    tables: dict[str, list[dict[str, Any]]] = read_json(ended.stdout)
    return tables


class Expected:
    """What a warehouse should hold: the last version of every record that the tap tells."""

    def __init__(self, sandbox: Any) -> None:
        self.properties: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, list[str]] = {}
        self.records: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
        run = TapRunner(sandbox)
        for message in run(catalog=TapVisma(config=run.config).catalog_dict).messages:
            stream = message.get("stream")
            if message["type"] == "SCHEMA":
                self.properties[stream] = message["schema"]["properties"]
                self.keys[stream] = message["key_properties"]
                self.records.setdefault(stream, {})
            elif message["type"] == "RECORD":
                record = message["record"]
                self.records[stream][self.key(stream, record)] = record

    def key(self, stream: str, row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.keys[stream])

    def of_type(self, stream: str, kind: str) -> list[str]:
        """The stream's fields of a JSON type."""
        properties = self.properties[stream]
        return [name for name, schema in properties.items() if kind in schema["type"]]
