"""messaging.twilio.com: a Messaging Service and its senders, to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.auth import authenticate
from visma_twilio_sandbox.twilio.errors import JSON, TwilioError
from visma_twilio_sandbox.twilio.listing import page_size
from visma_twilio_sandbox.twilio.resources import service_json, service_number_json

if TYPE_CHECKING:
    from starlette.requests import Request


def messaging_app() -> Starlette:
    """Make the ASGI application."""
    service = "/v1/Services/{sid}"
    return Starlette(
        routes=[
            Route(service, _service, methods=["GET"]),
            Route(f"{service}/PhoneNumbers", _numbers, methods=["GET"]),
            Route(f"{service}/AlphaSenders", _alpha_senders, methods=["GET"]),
        ],
        exception_handlers={TwilioError: _refuse, 404: _not_found, 405: _not_found},
    )


async def _service(request: Request) -> Response:
    return _answer(service_json(_base(request)))


async def _numbers(request: Request) -> Response:
    return _page(request, "phone_numbers", [service_number_json(_base(request))])


async def _alpha_senders(request: Request) -> Response:
    return _page(request, "alpha_senders", [])


def _base(request: Request) -> str:
    """Check who asks and for which service; returns the URL to build links from."""
    account = authenticate(request)
    if account == credentials.TEST_ACCOUNT_SID:
        raise TwilioError(20008)
    if request.path_params["sid"] != credentials.MESSAGING_SERVICE_SID:
        raise TwilioError(20404, f"The requested resource {request.url.path} was not found")
    return str(request.base_url).rstrip("/")


def _page(request: Request, key: str, items: list[dict[str, Any]]) -> Response:
    """Answer a list of one page, with `meta` as Twilio's newer APIs have it."""
    url = f"{_base(request)}{request.url.path}"
    size = page_size(request.query_params)
    first = f"{url}?PageSize={size}&Page=0"
    meta = {
        "first_page_url": first,
        "key": key,
        "next_page_url": None,
        "page": 0,
        "page_size": size,
        "previous_page_url": None,
        "url": first,
    }
    return _answer({"meta": meta, key: items})


def _answer(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), media_type=JSON)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, TwilioError):
        raise error
    return error.response()


async def _not_found(request: Request, _: Exception) -> Response:
    message = f"The requested resource {request.url.path} was not found"
    return TwilioError(20404, message).response()
