"""A Twilio account and a SendGrid account on loopback ports, a callback receiver, the contracts."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import jsonschema_rs
import pytest
import requests
from starlette.responses import Response

from visma_twilio_sandbox import credentials, sendgrid, twilio
from visma_twilio_sandbox.faults import Faults
from visma_twilio_sandbox.serving import RequestLog, ServiceServer

SAY = "<Response><Say>Hello</Say></Response>"
TO = "+46701740605"


class Host:
    """A server whose service is changed from test to test, for starting one takes a while."""

    def __init__(self):
        self.app = self.error_body = None
        self.faults, self.log = Faults(), RequestLog()
        self.server = ServiceServer(
            "service",
            self._serve,
            faults=self.faults,
            log=self.log,
            error_body=self._fail,
        )

    def _fail(self, fault):
        return self.error_body(fault)

    async def _serve(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def shared_host():
    host = Host()
    host.server.start()
    yield host
    host.server.stop()


@pytest.fixture
def host(shared_host):
    yield shared_host
    shared_host.faults.clear()
    shared_host.log.clear()


class Api:
    """A service and a session logged in to it."""

    def __init__(self, host, account, app, error_body):
        host.app, host.error_body = app, error_body
        self.account = account
        self.faults = host.faults
        self.url = host.server.url
        self.session = requests.Session()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()

    def request(self, method, path, **kwargs):
        return self.session.request(method, self.url + path, timeout=10, **kwargs)


class TwilioApi(Api):
    base = f"/2010-04-01/Accounts/{credentials.ACCOUNT_SID}"

    def get(self, path, **kwargs):
        return self.request("GET", self.base + path, **kwargs)

    def create(self, base=None, auth=None, **form):
        form = {"To": TO, "From": credentials.FROM_NUMBER, "Body": "Hello", **form}
        data = {name: value for name, value in form.items() if value is not None}
        path = f"{base or self.base}/Messages.json"
        return self.request("POST", path, data=data, auth=auth)

    def call(self, auth=None, base=None, **form):
        form = {"To": TO, "From": credentials.FROM_NUMBER, "Twiml": SAY, **form}
        data = {name: value for name, value in form.items() if value is not None}
        return self.request("POST", f"{base or self.base}/Calls.json", data=data, auth=auth)


@pytest.fixture
def api(host):
    account = twilio.Twilio(seed=1)
    with TwilioApi(host, account, account.app, twilio.error_body) as api:
        api.session.auth = (credentials.ACCOUNT_SID, credentials.AUTH_TOKEN)
        yield api
    account.stop()


@pytest.fixture
def comms(host):
    account = twilio.Twilio()
    with TwilioApi(host, account, account.comms_app, twilio.error_body) as api:
        api.session.auth = (credentials.ACCOUNT_SID, credentials.AUTH_TOKEN)
        yield api


@pytest.fixture
def messaging(host):
    account = twilio.Twilio()
    with TwilioApi(host, account, account.messaging_app, twilio.error_body) as api:
        api.session.auth = (credentials.ACCOUNT_SID, credentials.AUTH_TOKEN)
        yield api


@pytest.fixture
def mail_api(host):
    account = sendgrid.SendGrid()
    with Api(host, account, account.app, sendgrid.error_body) as api:
        api.session.headers["Authorization"] = f"Bearer {credentials.SENDGRID_API_KEY}"
        yield api


class Receiver:
    """Takes callbacks; answers with the next of its statuses, then 204."""

    def __init__(self):
        self.statuses = []
        self.log = RequestLog()
        self.server = ServiceServer(
            "receiver", self._app, faults=Faults(), log=self.log, error_body=lambda _: (b"", "")
        )

    @property
    def url(self):
        return self.server.url

    @property
    def forms(self):
        return [dict(parse_qsl(one.body.decode(), keep_blank_values=True)) for one in self.requests]

    @property
    def requests(self):
        return self.log.of("receiver")

    async def _app(self, scope, receive, send):
        status = self.statuses.pop(0) if self.statuses else 204
        await Response(status_code=status)(scope, receive, send)


@pytest.fixture
def receiver():
    receiver = Receiver()
    receiver.server.start()
    yield receiver
    receiver.server.stop()


class Contract:
    """An OpenAPI document whose schemas are taken at their word: no unknown properties."""

    def __init__(self, path):
        self.document = json.loads(path.read_text(encoding="utf-8"))

    def operation(self, path, method):
        return self.document["paths"][path][method]

    def validator(self, schema):
        whole = {**_strict(schema), "components": _strict(self.document["components"])}
        return jsonschema_rs.Draft4Validator(whole)

    def answer(self, path, method, status):
        found = self.operation(path, method)["responses"][str(status)]
        if "$ref" in found:
            found = self.document["components"]["responses"][found["$ref"].rpartition("/")[2]]
        return self.validator(found["content"]["application/json"]["schema"])


def _strict(node):
    """OpenAPI's `nullable` as JSON Schema has it, and objects with the properties they name."""
    if isinstance(node, list):
        return [_strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: _strict(value) for key, value in node.items()}
    if node.get("type") == "object" and isinstance(node.get("properties"), dict):
        node.setdefault("additionalProperties", False)
    if node.get("nullable") is True:
        node.pop("nullable")
        return {"anyOf": [node, {"type": "null"}]}
    return node


@pytest.fixture(scope="session")
def twilio_contract(contracts):
    return Contract(contracts / "twilio-messages-calls.openapi.json")


@pytest.fixture(scope="session")
def mail_contract(contracts):
    return Contract(contracts / "sendgrid-mail-v3.openapi.json")
