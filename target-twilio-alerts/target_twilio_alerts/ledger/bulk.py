"""Many rows in one statement, with little work for each: the paths that every record takes."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.sql.dml import UpdateBase


_PREFIX = "to_"


def parameters(table: sa.Table, names: Iterable[str]) -> dict[str, sa.BindParameter[Any]]:
    """Parameters for columns of a table, as `Rows` wants them named, by the columns' names."""
    return {name: sa.bindparam(f"{_PREFIX}{name}", type_=table.c[name].type) for name in names}


class Rows:
    """An INSERT or UPDATE whose parameters are attributes of objects.

    Args:
        statement: Its parameters are those of `parameters`.
        table: Whose columns have the names of the attributes.
    """

    def __init__(self, statement: UpdateBase, table: sa.Table) -> None:
        self._statement = statement
        self._columns = table.c
        self._compiled: dict[str, tuple[str, list[str], bool]] = {}

    def write(self, connection: Connection, objects: Sequence[Any]) -> None:
        """Execute the statement with each of the objects."""
        if not objects:
            return
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(dialect)
        sql, names, is_positional = self._compiled[dialect.name]
        columns = list(zip(*map(attrgetter(*names), objects), strict=True))
        for at, name in enumerate(names):
            convert = self._columns[name].type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                columns[at] = tuple(map(convert, columns[at]))
        rows: list[Any] = list(zip(*columns, strict=True))
        if not is_positional:
            parameters = [f"{_PREFIX}{name}" for name in names]
            rows = [dict(zip(parameters, row, strict=True)) for row in rows]
        connection.exec_driver_sql(sql, rows)

    def _compile(self, dialect: Dialect) -> tuple[str, list[str], bool]:
        compiled = self._statement.compile(dialect=dialect)
        parameters = compiled.positiontup if compiled.positional else list(compiled.params)
        names = [name.removeprefix(_PREFIX) for name in parameters or ()]
        return str(compiled), names, compiled.positional


def fetch(
    connection: Connection,
    query: sa.Select[Any],
    columns: Sequence[sa.Column[Any]],
) -> list[tuple[Any, ...]]:
    """Execute a query; gives not its rows, but of each column all values, as its type has them."""
    dialect = connection.dialect
    rows = connection.execute(query).cursor.fetchall()
    found = list(zip(*rows, strict=True))
    for at, column in enumerate(columns if rows else ()):
        convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is not None:
            found[at] = tuple(map(convert, found[at]))
    return found
