"""Neighbours that are kept up to date tell the same as looking at everything anew."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES, dump_values
from target_twilio_alerts.intake.neighbours import Neighbours
from target_twilio_alerts.ledger.versions import StoredVersion

INVOICE = ENTITIES["supplier_invoice"]
DAYS = 5
MONDAY = date(2026, 11, 2)

values = st.fixed_dictionaries(
    {
        "company": st.just("Nordisk"),
        "counterparty_number": st.sampled_from(["acme", "bolt", None]),
        "date": st.one_of(
            st.none(), st.integers(0, 20).map(lambda days: MONDAY + timedelta(days=days))
        ),
        "status": st.sampled_from(["Open", "Voided"]),
    },
)
arrivals = st.lists(st.tuples(st.sampled_from("abcdef"), values, st.booleans()), max_size=12)


def stored(number, given_values, *, is_gone=False):
    return StoredVersion(
        id=number,
        stream=INVOICE.stream,
        entity=INVOICE.name,
        key="{}",
        ordinal=1,
        stamp=None,
        row_version=None,
        content="",
        header=dump_values({**given_values, "number": number}),
        final=is_gone,
        baseline=False,
        seen_at=datetime(2026, 11, 2, tzinfo=timezone.utc),
        run_id="",
        grouping=None if is_gone else INVOICE.group(given_values),
        dated=given_values["date"],
    )


def near(documents, number, given_values):
    """The numbers of the others of its group that are dated near enough, by looking at all."""
    group, day = INVOICE.group(given_values), given_values["date"]
    if group is None or day is None:
        return set()
    return {
        other
        for other, version in documents.items()
        if other != number
        and version.grouping == group
        and version.dated is not None
        and abs((version.dated - day).days) <= DAYS
    }


@given(before=arrivals, groups=st.lists(arrivals, max_size=3))
def test_neighbours_are_those_that_a_look_at_all_documents_finds(before, groups):
    ledger = {number: stored(number, one, is_gone=gone) for number, one, gone in before}
    for group in groups:
        begun = dict(ledger)

        def load(name, earliest, latest, begun=begun):
            return [
                one
                for one in begun.values()
                if one.grouping == name and one.dated and earliest <= one.dated <= latest
            ]

        neighbours = Neighbours(load, {INVOICE.name: DAYS})
        for number, given_values, is_gone in group:
            if not is_gone:
                found = neighbours.of(INVOICE, number, given_values)
                day = given_values["date"]
                close = {
                    one["number"]
                    for one in found
                    if one["date"] is not None and abs((one["date"] - day).days) <= DAYS
                }
                assert close == near(ledger, number, given_values)
            version = stored(number, given_values, is_gone=is_gone)
            ledger[number] = version
            neighbours.put(version, INVOICE, {**given_values, "number": number})


def test_an_entity_whose_rules_do_not_look_has_none():
    def load(*_):
        raise AssertionError("looked up")

    given_values = {"company": "Nordisk", "counterparty_number": "acme", "date": MONDAY}
    neighbours = Neighbours(load, {})
    neighbours.put(stored("a", given_values), INVOICE, given_values)
    assert neighbours.of(INVOICE, "b", given_values) is None
