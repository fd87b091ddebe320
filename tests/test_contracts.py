"""What the tap asks is what Visma's own API description allows."""

from __future__ import annotations

import re

import msgspec
import pytest

from tap_visma.kinds import Paging
from tap_visma.streams import STREAMS
from tap_visma.tap import TapVisma
from visma_twilio_sandbox import business

TOKEN_FORM = {"grant_type", "client_id", "client_secret", "tenant_id", "scope"}
STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?")


@pytest.fixture(scope="module")
def description(contracts):
    return msgspec.json.decode((contracts / "visma-erp.openapi.json").read_bytes())


@pytest.fixture
def asked(sandbox):
    """Every request for every list: a first read, a following one, and one with all settings."""
    business.history(sandbox.visma, documents=80, seed=4)
    config = {
        name.removeprefix("TAP_VISMA_").lower(): value
        for name, value in sandbox.settings().items()
        if name.startswith("TAP_VISMA_")
    }
    state = {}
    expanded = {stream.name: {"expand": list(stream.expands)} for stream in STREAMS}
    everything = {
        "start_date": "2026-01-01",
        "page_size": 10,
        "stream_options": expanded,
        "include_unposted": True,
        "include_unreleased": True,
    }
    for more in ({}, {}, everything):
        tap = TapVisma(config={**config, **more}, state=state)
        for stream in tap.streams.values():
            stream.selected = True
        tap.sync()
        assert tap.failures == {}
        state = tap.state
    return sandbox


def test_each_request_is_one_that_the_contract_has(asked, description, capsys):
    paths = description["paths"]
    requests = asked.requests("visma")
    assert {request.path for request in requests} == {stream.path for stream in STREAMS}
    # Clients that were generated from the description of 2026 page these; this one is older.
    newer = {stream.path for stream in STREAMS if stream.paging is Paging.MAYBE}
    for request in requests:
        operation = paths[request.path][request.method.lower()]
        known = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
        query = dict(request.query)
        if request.path in newer:
            assert query.pop("pageNumber").isdigit()
            assert query.pop("pageSize").isdigit()
        assert set(query) <= set(known), request.path
        for name, parameter in known.items():
            assert name in query or not parameter.get("required"), (request.path, name)
        for name, value in query.items():
            if known[name]["schema"]["type"] == "integer":
                assert value.isdigit()
        if "lastModifiedDateTime" in query:
            assert STAMP.fullmatch(query["lastModifiedDateTime"])
        has_pair = {"lastModifiedDateTime", "lastModifiedDateTimeCondition"} <= set(query)
        if "lastModifiedDateTimeCondition" in known and "lastModifiedDateTime" in query:
            assert has_pair


def test_each_token_request_has_the_form_that_visma_documents(asked, description, capsys):
    flow = description["components"]["securitySchemes"]
    urls = [
        one["flows"]["clientCredentials"]["tokenUrl"]
        for one in flow.values()
        if "clientCredentials" in one.get("flows", {})
    ]
    assert all(url.endswith("/connect/token") for url in urls)
    for request in asked.requests("connect"):
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        names = {pair.split("=")[0] for pair in request.body.decode().split("&")}
        assert names == TOKEN_FORM
