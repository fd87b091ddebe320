"""What a backtest found, as tables: by rule and recipient, by week, and what differs."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.rehearsal.past import counted
from target_twilio_alerts.rehearsal.tally import BRAKE, DIGEST, ESCALATION, IN_DIGEST, shown, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_twilio_alerts.rehearsal.difference import Difference
    from target_twilio_alerts.rehearsal.played import Played
    from target_twilio_alerts.rehearsal.tally import Row

CSV_COLUMNS = (
    "alerts_file",
    "week",
    "kind",
    "rule",
    "recipient",
    "channel",
    "alerts",
    "messages",
    "suppressed",
    "held",
    "segments",
    "cost",
    "unpriced",
)
_FIXED = ("rule", "alerts", "busiest_week", "recipient", "channel", "messages")
_AT_NEED = ("escalations", "in_digests", "suppressed", "held", "segments", "cost", "unpriced")
_NAMED = {DIGEST: "(digests)", BRAKE: "(flood brake)"}
_SHOWN = 5
"""Alerts that are listed of each rule on each side of a comparison."""


def csv_rows(played: Sequence[Played]) -> Iterator[dict[str, str | None]]:
    """A line for each week, rule, recipient and channel."""
    for one in played:
        for row in one.rows:
            told = {name: row.as_json().get(name) for name in CSV_COLUMNS}
            told["alerts_file"] = one.file
            yield {name: None if value is None else str(value) for name, value in told.items()}


def print_played(played: Played) -> None:
    """By rule and recipient, then by week."""
    rows = list(_by_rule(played))
    used = [name for name in _AT_NEED if any(row[name] not in {None, "0"} for row in rows)]
    print_rows(rows, [*_FIXED, *used], "table", empty="There are no rules.")
    weeks = list(_by_week(played))
    if weeks:
        click.echo()
        columns = ["week", "alerts", "messages", *(name for name in used if name in weeks[0])]
        print_rows(weeks, columns, "table", empty="")
    click.echo()


def _by_rule(played: Played) -> Iterator[dict[str, str | None]]:
    for rule in played.rules:
        weeks: dict[str, int] = rule["weeks"]
        busiest = max(weeks.items(), key=lambda item: (item[1], item[0]), default=None)
        fixed = {
            "rule": rule["rule"],
            "alerts": str(rule["alerts"]),
            "busiest_week": None if busiest is None else f"{busiest[0]}: {busiest[1]}",
        }
        yield from _by_recipient([row for row in played.rows if row.rule == rule["rule"]], fixed)
    for kind, name in _NAMED.items():
        rows = [row for row in played.rows if row.kind == kind]
        if rows:
            yield from _by_recipient(rows, {"rule": name})
    yield {**_added(played.rows), "rule": "(all)", "alerts": str(played.totals["alerts"])}


def _by_recipient(
    rows: Sequence[Row], fixed: dict[str, str | None]
) -> Iterator[dict[str, str | None]]:
    """A line for each recipient and channel; one without if nobody is told."""
    told = sorted({(row.recipient, row.channel) for row in rows})
    for recipient, channel in told:
        of_them = [row for row in rows if (row.recipient, row.channel) == (recipient, channel)]
        yield {**_added(of_them), **fixed, "recipient": recipient, "channel": channel}
    if not told:
        yield {**_added([]), **fixed}


def _added(rows: Sequence[Row]) -> dict[str, str | None]:
    sums = total(rows)
    return {
        **dict.fromkeys(_FIXED),
        **{name: str(value) for name, value in sums.items()},
        "escalations": str(sum(row.messages for row in rows if row.kind == ESCALATION)),
        "in_digests": str(sum(row.alerts for row in rows if row.kind == IN_DIGEST)),
        "cost": shown(sums["cost"]),
    }


def _by_week(played: Played) -> Iterator[dict[str, str | None]]:
    raised: Counter[str] = Counter()
    for rule in played.rules:
        raised.update(rule["weeks"])
    for week in sorted({*raised, *(row.week for row in played.rows)}):
        sums = total(row for row in played.rows if row.week == week)
        yield {
            **{name: str(value) for name, value in sums.items()},
            "week": week,
            "alerts": str(raised[week]),
            "cost": shown(sums["cost"]),
        }


def print_difference(differs: Difference, now: Played, other: Played) -> None:
    """Alerts that only one of two raises, for each rule; then the sums of both."""
    rows = list(difference_rows(differs, now, other))
    told = [
        {
            "rule": row["rule"],
            "alerts now": _or_dash(row["now"]),
            f"alerts {other.file}": _or_dash(row["against"]),
            "in both": str(row["both"]),
            "only now": str(row["only_now"]),
            f"only {other.file}": str(row["only_against"]),
        }
        for row in rows
    ]
    print_rows(told, list(told[0]) if told else [], "table", empty="There are no rules.")
    for row in rows:
        if row["now"] is None or row["against"] is None:
            continue  # of a rule that only one file has there is nothing to compare
        for side, name in (("now", "now"), ("other", other.file)):
            examples = [one for one in differs.examples[side] if one.rule == row["rule"]]
            if examples:
                click.echo(f"\n{row['rule']}, only {name}:")
            for one in examples[:_SHOWN]:
                click.echo(f"  {one.document}, {one.raised_at[:10]}: {one.reason}")
            more = differs.only[side].get(row["rule"], 0) - _SHOWN
            if more > 0:
                click.echo(f"  and {more:,} more")
    sums = total_difference(now, other)
    differing = [f"{name} {_signed(value)}" for name, value in sums.items() if value]
    if differing:
        click.echo(f"\nNow against {other.file}: {', '.join(differing)}")
    elif not any(differs.examples.values()):
        click.echo("\nBoth tell the same.")
    click.echo()


def difference_rows(differs: Difference, now: Played, other: Played) -> Iterator[dict[str, Any]]:
    """For each rule of either file: its alerts there, and how many only one of them raises."""
    here, there = ({rule["rule"]: rule["alerts"] for rule in one.rules} for one in (now, other))
    for rule in dict.fromkeys([*here, *there]):
        yield {
            "rule": rule,
            "now": here.get(rule),
            "against": there.get(rule),
            "both": differs.both.get(rule, 0),
            "only_now": differs.only["now"].get(rule, 0),
            "only_against": differs.only["other"].get(rule, 0),
        }


def total_difference(now: Played, other: Played) -> dict[str, Any]:
    """How much more there is of everything now; cost only where both have prices."""
    sums, others = now.totals, other.totals
    found: dict[str, Any] = {}
    for name, value in sums.items():
        if value is not None and others[name] is not None:
            found[name] = value - others[name]
    return found


def _or_dash(number: int | None) -> str:
    return "-" if number is None else str(number)


def _signed(value: int | Decimal) -> str:
    text = shown(value) if isinstance(value, Decimal) else str(value)
    return f"+{text}" if value > 0 else str(text)


def remarks(played: Iterable[Played]) -> Iterator[str]:
    """What was played, what was taken for granted, and what else there is to know."""
    for one in played:
        days = f" from {one.begin.date()} to {one.end.date()}, weeks of {one.begin.tzinfo}"
        yield f"{one.file}: {counted(one.records, 'record')}{days if one.records else ''}"
        yield from (f"  Note: {note}" for note in one.notes)
    yield from (f"Assumed: {text}" for one in list(played)[:1] for text in one.assumed)
