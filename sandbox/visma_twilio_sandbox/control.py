"""The control API: drives a sandbox that runs as a process of its own, and shows its page."""

from __future__ import annotations

import json
from decimal import Decimal
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, Union

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from visma_twilio_sandbox.page import state
from visma_twilio_sandbox.visma import ENDPOINTS, wire
from visma_twilio_sandbox.visma.endpoints import DEFAULT_LEDGER, find

if TYPE_CHECKING:
    from starlette.requests import Request

    from visma_twilio_sandbox.recording import RecordedRequest
    from visma_twilio_sandbox.sandbox import Sandbox
    from visma_twilio_sandbox.visma import VismaCompany

SERVICES = ("connect", "visma", "twilio", "messaging", "comms", "sendgrid")

_CONTENT_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)


class _FaultWanted(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A fault as it is asked for; see `Fault` for the fields."""

    service: Literal["connect", "visma", "twilio", "messaging", "comms", "sendgrid"]
    # Union, for msgspec reads these at run time, on Python 3.10 too.
    status: Union[int, None] = None  # noqa: UP007
    times: Union[int, None] = 1  # noqa: UP007
    retry_after: Union[float, str, None] = None  # noqa: UP007
    delay: float = 0.0
    drop: Union[Literal["before", "during", "after"], None] = None  # noqa: UP007
    body: Union[str, None] = None  # noqa: UP007
    match: Union[str, None] = None  # noqa: UP007
    code: Union[int, None] = None  # noqa: UP007
    method: Union[str, None] = None  # noqa: UP007
    tenant: Union[str, None] = None  # noqa: UP007
    cut: bool = False
    stall: float = 0.0


def app(sandbox: Sandbox) -> Starlette:
    """Make the ASGI application that controls a sandbox."""
    control = _Control(sandbox)
    visma = "/visma/{endpoint:path}"
    return Starlette(
        routes=[
            Route("/", control.page, methods=["GET"]),
            Route("/state", control.state, methods=["GET"]),
            Route("/names", control.names, methods=["PUT"]),
            Route("/settle", control.settle, methods=["POST"]),
            Route("/faults", control.faults, methods=["POST", "DELETE"]),
            Route("/numbers/{number}", control.number, methods=["PUT"]),
            Route("/requests/{service}", control.requests, methods=["GET"]),
            Route(f"{visma}/restamp", control.restamp, methods=["POST"]),
            Route(f"{visma}/make", control.make, methods=["POST"]),
            Route(visma, control.visma, methods=["GET", "POST", "PATCH", "DELETE"]),
        ],
        exception_handlers={HTTPException: _refuse},
    )


class _Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._page = files("visma_twilio_sandbox").joinpath("page.html").read_text("utf-8")

    async def page(self, _: Request) -> Response:
        """Show the telephones and inboxes."""
        headers = {"Content-Security-Policy": _CONTENT_SECURITY, "Cache-Control": "no-store"}
        return Response(self._page, media_type="text/html", headers=headers)

    async def state(self, _: Request) -> Response:
        """Tell what the page shows."""
        box = self._sandbox
        emails = [*box.sendgrid.emails, *box.twilio.emails]
        return _json(state(box.twilio.messages, box.twilio.calls, emails, box.page_names))

    async def names(self, request: Request) -> Response:
        """Name people: `{"+46701234567": "Anna Lind", "anna@example.com": "Anna Lind"}`."""
        names = await _object(request)
        if not all(isinstance(name, str) for name in names.values()):
            raise _bad("a name is not text")
        self._sandbox.page_names.update(names)
        return _json(self._sandbox.page_names)

    async def settle(self, _: Request) -> Response:
        """Bring every SMS and call to its last status."""
        await run_in_threadpool(self._sandbox.twilio.settle)
        failures = self._sandbox.twilio.callback_failures
        return _json({"callback_failures": [f"{one.url}: {one.reason}" for one in failures]})

    async def faults(self, request: Request) -> Response:
        """Add a fault, or forget all: the fields are those of `Fault`."""
        if request.method == "DELETE":
            self._sandbox.faults.clear()
            return Response(status_code=HTTPStatus.NO_CONTENT)
        try:
            wanted = msgspec.json.decode(await request.body(), type=_FaultWanted)
        except msgspec.DecodeError as error:
            raise _bad(str(error)) from None
        self._sandbox.faults.add(**msgspec.structs.asdict(wanted))
        return _json(msgspec.structs.asdict(wanted), HTTPStatus.CREATED)

    async def number(self, request: Request) -> Response:
        """Decide what becomes of SMS to a number: `outcome`, `refuse`, or neither."""
        number, twilio = request.path_params["number"], self._sandbox.twilio
        wanted = await _object(request)
        _only(wanted, frozenset({"outcome", "refuse"}))
        outcome, refuse = wanted.get("outcome"), wanted.get("refuse")
        if outcome is not None and not _is_outcome(outcome):
            raise _bad('an outcome is a last status and an error code, ["undelivered", 30003]')
        if refuse is not None and not isinstance(refuse, int):
            raise _bad("refuse is an error code, 21610")
        twilio.outcomes.pop(number, None)
        twilio.refuses.pop(number, None)
        if outcome is not None:
            twilio.outcomes[number] = (outcome[0], outcome[1])
        if refuse is not None:
            twilio.refuses[number] = refuse
        return _json(wanted)

    async def requests(self, request: Request) -> Response:
        """Tell the requests of one service, oldest first; secrets are left out."""
        service = request.path_params["service"]
        if service not in SERVICES:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no service {service}")
        return _json([_request_json(one) for one in self._sandbox.requests(service)])

    async def visma(self, request: Request) -> Response:
        """List, put, change and delete documents of Visma.net."""
        endpoint, company = _endpoint(request), self._company(request)
        if request.method == "GET":
            return _json(company.all(endpoint))
        body = await _object(request)
        try:
            if request.method == "POST":
                ledger = request.query_params.get("ledger", DEFAULT_LEDGER)
                return _json(company.put(endpoint, body, ledger=ledger), HTTPStatus.CREATED)
            if request.method == "PATCH":
                _only(body, frozenset({"key", "fields"}))
                changes = body.get("fields")
                if not isinstance(changes, dict):
                    raise _bad("fields is no object")
                return _json(company.change(endpoint, _key(body), **changes))
            _only(body, frozenset({"key"}))
            company.delete(endpoint, _key(body))
        except LookupError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error.args[0])) from None
        except (TypeError, ValueError) as error:
            raise _bad(str(error)) from None
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def restamp(self, request: Request) -> Response:
        """Move the stamp of one item (`{"key": {}}`) or of all (`{}`) and nothing else."""
        endpoint = _endpoint(request)
        body = await _object(request)
        _only(body, frozenset({"key"}))
        try:
            self._company(request).restamp(endpoint, _key(body) if "key" in body else None)
        except LookupError as error:
            raise HTTPException(HTTPStatus.NOT_FOUND, str(error.args[0])) from None
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def make(self, request: Request) -> Response:
        """Make so many more items (`{"count": 1000}`); tells their keys."""
        endpoint = _endpoint(request)
        body = await _object(request)
        _only(body, frozenset({"count"}))
        count = body.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise _bad("count is no number from 1")
        company = self._company(request)
        keys = await run_in_threadpool(company.make, endpoint, count)
        return _json(keys, HTTPStatus.CREATED)

    def _company(self, request: Request) -> VismaCompany:
        """The company of the parameter `tenant`, or the first."""
        tenant = request.query_params.get("tenant", self._sandbox.visma.tenant_id)
        company = self._sandbox.companies.of_tenant(tenant)
        if company is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"no company with tenant id {tenant}")
        return company


def _endpoint(request: Request) -> str:
    given = str(request.path_params["endpoint"])
    try:
        return find(given).name
    except LookupError:
        known = ", ".join(ENDPOINTS)
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"no endpoint {given}; there are {known}",
        ) from None


def _key(body: dict[str, Any]) -> dict[str, Any]:
    key = body.get("key")
    if not isinstance(key, dict):
        raise _bad("key is no object")
    return key


def _is_outcome(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - status and code
        and value[0] in ("delivered", "undelivered", "failed", "sent", "read")
        and (value[1] is None or isinstance(value[1], int))
    )


async def _object(request: Request) -> dict[str, Any]:
    """Read the body: a JSON object, amounts as exact as they were written."""
    body = await request.body()
    try:
        found = json.loads(body or b"{}", parse_float=Decimal)
    except ValueError as error:
        raise _bad(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise _bad("not a JSON object")
    return found


def _only(found: dict[str, Any], allowed: frozenset[str]) -> None:
    unknown = sorted(set(found) - allowed)
    if unknown:
        raise _bad(f"unknown field {unknown[0]}; there are {', '.join(sorted(allowed))}")


def _request_json(request: RecordedRequest) -> dict[str, Any]:
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": request.body.decode("utf-8", "replace"),
        "status": request.status,
        "tenant": request.tenant,
    }


def _bad(reason: str) -> HTTPException:
    return HTTPException(HTTPStatus.BAD_REQUEST, reason)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _json({"error": error.detail}, error.status_code)


def _json(body: Any, status: int = HTTPStatus.OK) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(wire.encode(body), status, headers, media_type="application/json")
