"""The HTTP side of Visma.net ERP: who may ask, how often, and how errors look."""

from __future__ import annotations

import json
import uuid
from datetime import timezone
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from visma_twilio_sandbox.connect import READ_SCOPE
from visma_twilio_sandbox.visma import background
from visma_twilio_sandbox.visma.background import Background
from visma_twilio_sandbox.visma.endpoints import ENDPOINTS, find
from visma_twilio_sandbox.visma.listing import BadRequestError, Lister, understand

if TYPE_CHECKING:
    from visma_twilio_sandbox.connect import Connect
    from visma_twilio_sandbox.faults import Fault
    from visma_twilio_sandbox.recording import Receive, RecordedRequest, Scope, Send
    from visma_twilio_sandbox.visma.companies import Companies
    from visma_twilio_sandbox.visma.company import VismaCompany
    from visma_twilio_sandbox.visma.endpoints import Endpoint
    from visma_twilio_sandbox.visma.manners import ErrorShape

_REQUEST_ID = "Ipp-Request-Id"
_LEGACY = "/api/controller/api"
_NOTHING = {
    "array": b"[]",
    "records": b'{"pageNumber":1,"pageSize":0,"totalCount":0,"records":[]}',
    "object": b"{}",
}
_PATHS = {endpoint.path.lower(): endpoint for endpoint in ENDPOINTS.values()}
_FAULTS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    410: "Gone",
    429: "Same request made too many times",
    500: "An error has occurred.",
    503: "The service is unavailable.",
    504: "The operation has timed out.",
}


class VismaApi:
    """The ASGI application.

    Args:
        connect: Knows the tokens.
        companies: Whom tokens are for.
    """

    def __init__(self, connect: Connect, companies: Companies) -> None:
        self._connect = connect
        self._companies = companies
        self._background = Background()
        self._listers = {company.tenant_id: Lister(company) for company in companies}

    def error_body(self, fault: Fault) -> tuple[bytes, str]:
        """The body of an injected fault, in the shape this server's errors have."""
        status = fault.status or 500
        shape = self._companies[0].manners.error_shape
        return error(shape, status, _FAULTS.get(status, "An error has occurred."))

    def headers_of(self, request: RecordedRequest) -> dict[str, str]:
        """What every answer has: an id, the time, and the limit of the company that asks."""
        company = self._companies.of_tenant(request.tenant or "") or self._companies[0]
        return _headers(company)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await run_in_threadpool(self._answer, request)
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        grant = self._connect.grant(request.headers.get("authorization", ""))
        company = self._companies.of_tenant(grant.tenant_id) if grant is not None else None
        if grant is None or company is None:
            main = self._companies[0]
            response = _failure(main, 401, "Unauthorized")
            response.headers.update(_headers(main))
            return response
        if not company.calls.take():
            response = _failure(company, 429, "Same request made too many times")
            response.headers["Retry-After"] = company.calls.retry_after()
        elif READ_SCOPE not in grant.scopes:
            response = _failure(company, 403, "Forbidden")
        else:
            response = self._authorised(request, company)
        response.headers.update(_headers(company))
        return response

    def _authorised(self, request: Request, company: VismaCompany) -> Response:
        path = request.url.path.lower().removeprefix(_LEGACY)
        is_background = path.startswith(background.PATH)
        endpoint = _PATHS.get(path)
        if endpoint is None and not is_background:
            return _failure(company, 404, "Not found")
        if request.method != "GET":
            response = _failure(company, 405, "Only GET is in the sandbox.")
            response.headers["Allow"] = "GET"
            return response
        if endpoint is None:
            answer = self._background.answer(company, path.removeprefix(background.PATH))
            return _failure(company, answer, _FAULTS[answer]) if isinstance(answer, int) else answer
        webhook = request.headers.get(background.HEADER)
        if webhook is None:
            return self._list(request, endpoint, company)
        if webhook != "none" and webhook.partition(":")[0] != "subscription":
            return _failure(company, 400, f"{background.HEADER}: {webhook!r} is not supported.")
        run = partial(self._list, request, endpoint, company)
        return self._background.accept(company, str(request.url), webhook, run)

    def _list(self, request: Request, endpoint: Endpoint, company: VismaCompany) -> Response:
        if any(find(name) is endpoint for name in company.forbidden):
            return _failure(company, 403, "Forbidden")
        try:
            asked = {name.lower(): value for name, value in request.query_params.items()}
            query = understand(endpoint, asked, company.manners)
        except BadRequestError as problem:
            return _failure(company, 400, str(problem))
        if request.headers.get("ipp-company-id", company.company_id) != company.company_id:
            return Response(_NOTHING[endpoint.shape], media_type="application/json")
        if company.on_page is not None:
            company.on_page(endpoint.name, query.page_number)
        try:
            body = self._listers[company.tenant_id].page(endpoint, query)
        except LookupError:
            return _failure(company, 404, "Not found")
        return Response(body, media_type="application/json; charset=utf-8")


def error(shape: ErrorShape, status: int, text: str) -> tuple[bytes, str]:
    """Body and content type of an error, in one of the shapes that integrators have met."""
    reference = uuid.uuid4()
    if shape in {"message", "Message"}:
        told = json.dumps({shape: f"VismaId: {reference}. {text}"})
        return told.encode(), "application/json"
    if shape == "IPPException":
        details = {
            "ExceptionType": "IPPException",
            "ExceptionMessage": text,
            "ExceptionFaultCode": str(status),
            "ExceptionMessageID": f"{status}_{reference}",
            "ExceptionDetails": "",
        }
        return json.dumps(details).encode(), "application/json"
    return (text.encode() if shape == "text" else b""), "text/plain"


def _failure(company: VismaCompany, status: int, text: str) -> Response:
    body, kind = error(company.manners.error_shape, status, text)
    return Response(body, status_code=status, media_type=kind)


def _headers(company: VismaCompany) -> dict[str, str]:
    return {
        "Date": format_datetime(company.clock().astimezone(timezone.utc), usegmt=True),
        _REQUEST_ID: str(uuid.uuid4()),
        **company.calls.headers(),
    }
