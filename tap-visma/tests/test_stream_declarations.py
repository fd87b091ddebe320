"""What is declared of each stream, against Visma's own description of its API."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from tap_visma.errors import AnswerError
from tap_visma.kinds import Filter, Paging, line_field, lines_stream
from tap_visma.streams import STREAMS
from tap_visma.streams.accounts import Budgets
from tap_visma.tap import TapVisma

NOT_STREAMS = {
    "/v1/firstTimeStartup/status": "one object, no list",
    "/v1/supplierInvoice/approval": "one object, no list",
    "/v1/project/tasks": "the list of /v1/projecttask under another path",
    "/v1/discount": "the older version of /v2/discount",
    "/v1/discountCode": "the older version of /v2/discountCode",
    "/v1/PurchaseReceipt": "the older version of /v2/PurchaseReceipt",
    "/v1/salesorder": "the older version of /v2/salesorder",
    "/v1/salesperson": "the older version of /v2/salesperson",
    "/v1/creditNote": "deprecated: /v1/customerCreditNote",
    "/v1/payment": "deprecated: /v1/customerPayment",
    "/v1/stocktake": "deprecated: /v2/stocktake",
}
"""Lists of the API that are no stream, and why."""

WHOLE_ON_PURPOSE = {"ledgers"}
"""Read without the filter that there is: other streams need every row."""

IN_PAGES_BY_2026 = {
    "/v1/carrier",
    "/v1/inventory/itemClass",
    "/v1/inventory/itemPostClass",
    "/v1/warehouse",
}
"""Not paged by the description of 2025-05, paged in clients made from that of 2026."""

OF_THE_READ = {"includeUnposted", "includeUnreleased", "includeTransactionBalance"}
"""Flags that change which rows there are, or what they mean, and are no mere additions."""

PARTITION = {"branch_number": "1", "ledger_id": "2", "financial_year": "2026"}

SNAPSHOT = Path(__file__).with_name("catalog.snapshot.txt")

each_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
each_with_lines = pytest.mark.parametrize(
    "stream",
    [stream for stream in STREAMS if stream.lines],
    ids=lambda stream: stream.name,
)


class Contract:
    """Visma's description of its API."""

    def __init__(self, folder):
        text = (folder / "visma-erp.openapi.json").read_text(encoding="utf-8")
        self._told = json.loads(text)

    def lists(self):
        """The paths of GETs that need no path parameter."""
        return {
            path for path, told in self._told["paths"].items() if "get" in told and "{" not in path
        }

    def asked(self, stream):
        """The GET of a stream."""
        return self._told["paths"][stream.path]["get"]

    def parameters(self, stream):
        return {one["name"]: one for one in self.asked(stream)["parameters"] if is_query(one)}

    def answer(self, stream):
        content = self.asked(stream)["responses"]["200"]["content"]
        return self.followed(content["application/json"]["schema"])

    def item(self, stream):
        """The properties of an item; none if it is a mere text."""
        return self.whole_item(stream).get("properties", {})

    def whole_item(self, stream):
        answer = self.answer(stream)
        listed = answer["properties"]["records"] if "properties" in answer else answer
        return self.followed(listed["items"])

    def nested(self, item, path):
        """What a way through nested objects leads to."""
        found = {"properties": item}
        for name in path:
            found = self.followed(found["properties"][name])
        return found

    def followed(self, node):
        for one in node.get("allOf", ()):
            node = one
        if "$ref" in node:
            return self._told["components"]["schemas"][node["$ref"].rsplit("/", 1)[-1]]
        return node

    def routes_to_one(self, stream):
        """How many values identify one item, by each route to one."""
        below = re.compile(re.escape(stream.path) + r"((?:/\{\w+\})+)", re.IGNORECASE)
        for path in self._told["paths"]:
            match = below.fullmatch(path)
            if match and self.answer(type("One", (), {"path": path})) == self.whole_item(stream):
                yield match[1].count("{")


def is_query(parameter):
    return parameter["in"] == "query"


def is_scalar(node):
    return node["type"] in {"string", "integer", "number", "boolean"}


@pytest.fixture(scope="module")
def contract(contracts):
    return Contract(contracts)


@pytest.fixture(scope="module")
def tap():
    names = ("client_id", "client_secret")
    tenant = "11111111-1111-4111-8111-111111111111"
    return TapVisma(config={**dict.fromkeys(names, "-"), "tenant_id": tenant})


def schema_of(name):
    text = (files("tap_visma") / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)["properties"]


def own_key(stream):
    assert stream.primary_keys[:2] == ("tenant_id", "company")
    return stream.primary_keys[2:]


def test_every_list_is_a_stream_or_there_is_a_reason_why_not(contract):
    paths = [stream.path for stream in STREAMS]
    assert len(paths) == len(set(paths))
    assert not set(paths) & set(NOT_STREAMS)
    assert {*paths, *NOT_STREAMS} == contract.lists()


def test_the_two_lists_of_project_tasks_are_one(contract):
    (tasks,) = (stream for stream in STREAMS if stream.path == "/v1/projecttask")
    twin = type("Twin", (), {"path": "/v1/project/tasks"})
    assert contract.answer(twin) == contract.answer(tasks)
    assert contract.parameters(twin).keys() == contract.parameters(tasks).keys()


def test_names_are_words_joined_by_underscores_and_each_is_told_once():
    names = [stream.name for stream in STREAMS]
    names += [lines_stream(stream.name) for stream in STREAMS if stream.lines]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    shipped = {path.name for path in (files("tap_visma") / "schemas").iterdir()}
    assert shipped == {f"{name}.json" for name in names}


@each_stream
def test_the_filter_is_the_contracts(stream, contract):
    known = contract.parameters(stream)
    by_stamp = (Filter.STAMP_ONLY, Filter.STAMP_AND_CONDITION)
    found = Filter.NONE
    if "lastModifiedDateTime" in known:
        found = by_stamp["lastModifiedDateTimeCondition" in known]
    if stream.name in WHOLE_ON_PURPOSE:
        assert (stream.filter, found) == (Filter.NONE, Filter.STAMP_AND_CONDITION)
    else:
        assert stream.filter is found


@each_stream
def test_the_paging_is_the_contracts(stream, contract):
    known = contract.parameters(stream)
    assert ("pageNumber" in known) == ("pageSize" in known)
    unpaged = Paging.MAYBE if stream.path in IN_PAGES_BY_2026 else Paging.WHOLE
    assert stream.paging is (Paging.PAGES if "pageNumber" in known else unpaged)


@each_stream
def test_the_envelope_is_the_contracts(stream, contract):
    answer = contract.answer(stream)
    if stream.envelope is None:
        assert answer["type"] == "array"
        is_text = answer["items"].get("type") == "string"
        assert (stream.text_field is not None) == is_text
    else:
        assert set(answer["properties"]) == {
            "pageNumber",
            "pageSize",
            "totalCount",
            stream.envelope,
        }


@each_stream
def test_the_stamp_is_the_items_modified_field(stream, contract):
    found = {"lastModifiedDateTime", "lastModified"} & set(contract.item(stream))
    assert {stream.stamp} - {None} == found


@each_stream
def test_the_parameters_it_sends_are_known_and_those_required_are_sent(stream, contract, tap):
    known = contract.parameters(stream)
    sent = set(stream(tap).own_params(tap.companies[0], PARTITION))
    assert sent <= set(known)
    required = {name for name, told in known.items() if told.get("required")}
    assert required <= sent
    if "a filter needs to be specified" in contract.asked(stream).get("summary", ""):
        assert sent


@each_stream
def test_the_expand_flags_are_the_contracts(stream, contract):
    found = {
        name
        for name, told in contract.parameters(stream).items()
        if told["schema"]["type"] == "boolean" and re.match("expand|include|show|add", name)
    }
    assert set(stream.expands) == found - OF_THE_READ


@each_stream
def test_each_part_of_the_key_is_in_the_item_or_in_the_question(stream, contract, tap):
    item = contract.item(stream)
    declared = schema_of(stream.name)
    for name in own_key(stream):
        if name in stream.keys_from:
            assert is_scalar(contract.nested(item, stream.keys_from[name]))
            assert name not in item
        elif name in item:
            assert is_scalar(item[name])
        else:
            assert name in PARTITION or name == stream.text_field
    assert set(stream.keys_from) <= set(stream.primary_keys)
    assert all(isinstance(declared[name]["type"], str) for name in stream.primary_keys)


@each_stream
def test_the_key_has_at_least_the_parts_of_the_route_to_one_item(stream, contract):
    assert len(own_key(stream)) >= max(contract.routes_to_one(stream), default=0)


@each_with_lines
def test_lines_are_numbered_in_the_contract_and_have_a_schema(stream, contract):
    item = contract.item(stream)
    listed = contract.followed(item[stream.lines.field])
    line = contract.followed(listed["items"])["properties"]
    assert all(is_scalar(line[name]) for name in stream.lines.keys)
    declared = schema_of(lines_stream(stream.name))
    key = stream.primary_keys
    assert list(declared)[: len(key)] == list(key)
    assert set(declared) == {*key, *(line_field(name, key) for name in line)}
    both = (*key, *stream.lines.keys)
    assert all(isinstance(declared[name]["type"], str) for name in both)


def test_a_lines_field_named_as_a_part_of_the_key_keeps_its_value_under_another_name():
    declared = schema_of("journal_transaction_lines")
    assert declared["module"]["type"] == "string"
    assert declared["line_module"]["type"] == ["string", "null"]


def test_what_is_declared_changes_only_on_purpose():
    """Compares with a file that a person can read, so that each change is a diff to review."""
    text = "\n".join(snapshot()) + "\n"
    if os.environ.get("REWRITE_SNAPSHOTS"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    how = (
        "if it should be so: REWRITE_SNAPSHOTS=1 pytest tap-visma/tests/test_stream_declarations.py"
    )
    assert SNAPSHOT.read_text(encoding="utf-8") == text, how


def snapshot():
    for stream in STREAMS:
        told = [stream.filter.value, stream.paging.value, f"stamp={stream.stamp}"]
        told += [f"envelope={stream.envelope}"] * bool(stream.envelope)
        told += [f"text={stream.text_field}"] * bool(stream.text_field)
        told += ["finance"] * stream.is_finance
        yield entry(stream.name, stream.path, own_key(stream), *told)
        if stream.lines:
            name = lines_stream(stream.name)
            yield entry(name, stream.lines.field, (*own_key(stream), *stream.lines.keys))


def entry(name, path, key, *told):
    return " | ".join([name, path, " ".join(key), f"{len(schema_of(name))} fields", *told])


# Budgets are asked for by branch, ledger and year.

PERIODS = [
    {"year": year, "period": f"{month:02}", "endDate": f"{end}T00:00:00"}
    for year in (1999, 2000, 2098, 2099)
    for month, end in ((1, f"{year}-01-31"), (12, f"{year}-12-31"))
]


@pytest.fixture
def budgets(tap):
    def made(rows=(), **settings):
        known = {
            "branches": [{"number": "2"}, {"number": "1"}],
            "ledgers": [{"number": "B"}, {"number": "A"}],
            "financial_periods": PERIODS,
            **dict(rows),
        }

        class BudgetsOfKnownRows(Budgets):
            config = settings

            def rows_of(self, name, company):
                return known[name]

        stream = BudgetsOfKnownRows(tap)
        return partial(stream.partitions_of, tap.companies[0])

    return made


def years(partitions):
    return sorted({one["financial_year"] for one in partitions})


def test_budgets_are_asked_for_by_branch_ledger_and_year_each_once(budgets):
    partitions = budgets(first_financial_year=2025, last_financial_year=2026)()
    found = [tuple(one.values()) for one in partitions]
    assert len(found) == 2 * 2 * 2
    assert all(one < other for one, other in pairwise(found))
    assert partitions[0] == {"branch_number": "1", "ledger_id": "A", "financial_year": "2025"}


def test_without_settings_the_years_are_those_that_have_not_ended(budgets):
    assert years(budgets()()) == ["2098", "2099"]


def test_one_setting_of_years_leaves_the_other_end_as_it_is(budgets):
    assert years(budgets(first_financial_year=2099)()) == ["2099"]
    assert years(budgets(last_financial_year=2098)()) == ["2098"]


def test_where_all_years_have_ended_the_last_one_is_asked_for(budgets):
    ended = [one for one in PERIODS if one["year"] < 2001]
    assert years(budgets({"financial_periods": ended})()) == ["2000"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"branches": [{"number": None}]}, "a branch has no number"),
        ({"ledgers": [{}]}, "a ledger has no number"),
        ({"financial_periods": []}, "set first_financial_year and last_financial_year"),
    ],
)
def test_what_budgets_cannot_be_asked_for_by_is_an_error_that_says_so(budgets, rows, told):
    with pytest.raises(AnswerError, match=told):
        budgets(rows)()
