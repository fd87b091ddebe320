"""Rules that name fields of the record as Visma has them, beside those of the vocabulary."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from singer import invoice

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.documents.raw_fields import raw_fields
from target_twilio_alerts.ledger import tables
from target_twilio_alerts.rules import compile_condition

FIRST, SECOND, THIRD = (f"2026-11-21T{hour}:00:00" for hour in ("09", "10", "11"))


def terms(number, days, **more):
    return invoice(number, 75000, creditTerms={"id": days, "description": days}, **more)


def line(account):
    return {"lineNumber": 1, "account": {"number": account, "type": "Expense"}}


def test_a_rule_may_name_a_field_of_the_record(desk):
    desk.rule('record.creditTerms.id == "60"')
    assert desk.read(terms("1", "30"), terms("2", "60"), invoice("3", 75000)) == ["2"]
    assert desk.outcomes == {"no_match": 1, "alert": 1, "undecided": 1}
    ((reason,),) = desk.rows(sa.select(tables.alerts.c.reason))
    assert reason == 'record.creditTerms.id is "60"'


def test_what_it_was_before_is_kept(desk):
    desk.rule("record.creditTerms.id != previous.record.creditTerms.id")
    assert desk.read(terms("1", "30", stamp=FIRST)) == []
    assert desk.read(terms("1", "60", stamp=SECOND)) == ["1"]
    assert desk.read(terms("1", "60", stamp=THIRD)) == []


def test_only_fields_that_rules_name_are_kept_in_the_ledger(desk):
    desk.rule("record.invoiceLines.account.number is not null")
    desk.read(invoice("1", 5, invoiceLines=[line("4010"), line("4020"), line("4010")]))
    ((header,),) = desk.rows(sa.select(tables.documents.c.header))
    kept = {name: value for name, value in json.loads(header).items() if "." in name}
    assert kept == {"record.invoiceLines.account.number": ["4010", "4020"]}


def test_a_field_of_each_line_is_a_list(desk):
    desk.rule('"4010" in record.invoiceLines.account.number')
    rows = [invoice(n, 5, invoiceLines=[line(n), line("1")]) for n in ("4010", "4020")]
    assert desk.read(*rows, invoice("3", 5, invoiceLines=[])) == ["4010"]


def test_a_field_that_is_named_later_is_kept_when_the_document_comes_again(desk):
    desk.rule("amount > 90000")
    desk.read(terms("1", "60"))
    desk.rule('record.creditTerms.id == "60"')
    assert desk.read(terms("1", "60")) == []
    assert desk.outcomes == {"already_true": 1}
    ((header,),) = desk.rows(sa.select(tables.documents.c.header))
    assert json.loads(header)["record.creditTerms.id"] == "60"
    assert desk.read(terms("1", "60", stamp=SECOND, description="new")) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"when": 'record.creditTerms.id == "60"'},
        {"when": "record.creditTerms.id != previous.record.creditTerms.id"},
        {"when": "amount > 50000", "again_on": "record.creditTerms.id"},
    ],
    ids=lambda rule: rule["when"],
)
def test_of_what_was_not_kept_before_no_change_is_seen(desk, rule):
    desk.rule("amount > 50000")
    desk.read(terms("1", "60", stamp=FIRST), terms("2", "60", stamp=FIRST))
    desk.rule(**rule)
    assert desk.read(terms("1", "60", stamp=SECOND, description="new")) == []
    assert desk.read(terms("1", "30", stamp=THIRD)) == ([] if "==" in rule["when"] else ["1"])
    desk.read(terms("2", None, stamp=SECOND))
    last = terms("2", "60", stamp=THIRD)
    assert desk.read(last) == ([] if "!=" in rule["when"] else ["2"])


def test_a_value_of_another_kind_is_recorded_and_undecided(desk):
    desk.rule("record.discountTotal > 5")
    assert desk.read(invoice("1", 5, discountTotal="much")) == []
    assert desk.outcomes == {"undecided": 1}
    ((problem,),) = desk.rows(sa.select(tables.malformed_records.c.problem))
    assert problem == "record.discountTotal is text where a number was expected"


def test_a_change_of_a_named_field_alerts_again(desk):
    desk.rule("amount > 50000", again_on="record.creditTerms.id")
    assert desk.read(terms("1", "30", stamp=FIRST)) == ["1"]
    assert desk.read(terms("1", "60", stamp=SECOND)) == ["1"]


def test_own_templates_may_print_it_and_built_in_texts_leave_it_out(desk, tmp_path):
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "rule.sms.j2").write_text("Terms {{ record.creditTerms.id }}", encoding="utf-8")
    desk.rule('record.creditTerms.id == "60"', via=["sms", "email"])
    desk.read(terms("1", "60"))
    contents = tables.message_contents.c
    texts = [text for (text,) in desk.rows(sa.select(contents.text).order_by(contents.text))]
    assert "Terms 60" in texts
    assert not any("record." in text for text in texts)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_each_entity_has_raw_fields_and_none_of_them_is_a_stamp(entity):
    named = {name.rpartition(".")[2] for name in raw_fields(entity.stream)}
    assert named
    assert not named & entity.volatile
    assert not set(entity.fields) & set(entity.raw_fields)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_each_raw_field_compiles_with_its_kind(entity):
    for name in entity.raw_fields:
        assert compile_condition(f"{name} is null", entity).fields == (name,)
