"""Rules for named companies: others' documents are counted, and alert nobody."""

from __future__ import annotations

import pytest
from singer import COMPANY, invoice

from target_twilio_alerts.rules import AlertsFileError

OTHER = "Dotterbolaget AB"


def test_a_rule_for_a_company_alerts_on_its_documents_only(desk):
    desk.rule("amount > 50000", companies=COMPANY)
    assert desk.read(invoice("1", 75000), invoice("2", 75000, company=OTHER)) == ["1"]
    desk.rule("amount > 50000", companies=[OTHER, "Nordisk AB"])
    assert desk.read(invoice("3", 75000)) == []
    assert desk.outcomes == {"no_match": 1}


def test_a_company_that_is_added_alerts_on_what_becomes_true_from_then_on(desk):
    desk.rule("amount > 50000", companies="Nordisk AB")
    assert desk.read(invoice("1", 75000), invoice("2", 10)) == []
    desk.rule("amount > 50000", companies=["Nordisk AB", COMPANY])
    later = "2026-11-20T11:00:00"
    assert desk.read(invoice("1", 76000, stamp=later), invoice("2", 75000, stamp=later)) == ["2"]


def test_a_company_that_nobody_knows_is_named_once_something_was_read(desk):
    desk.rule("amount > 50000", companies="Testbolget AB")
    intake = desk.open_intake()
    assert intake.notices() == [
        f"Rule rule: no company Testbolget AB has been read yet; did you mean {COMPANY}?"
    ]
    intake.close()


def test_an_entity_without_companies_cannot_be_asked_for_one(desk):
    entities = {"deal": {"stream": "deals", "fields": {"number": {"from": "id"}}}}
    desk.rule("number is null", entity="deal", companies="x", file={"entities": entities})
    with pytest.raises(AlertsFileError, match="deal has no field company"):
        desk.open_intake()
