"""api.twilio.com: the parts of the 2010-04-01 API that concern messages and calls."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.auth import authenticate, is_api_key
from visma_twilio_sandbox.twilio.call_create import create_call
from visma_twilio_sandbox.twilio.calls import call_json
from visma_twilio_sandbox.twilio.create import create_message, read_form
from visma_twilio_sandbox.twilio.errors import JSON, TwilioError
from visma_twilio_sandbox.twilio.listing import list_calls, list_messages, page_size
from visma_twilio_sandbox.twilio.resources import ACCOUNTS, account_json, message_json, number_json
from visma_twilio_sandbox.twilio.update import PARAMETERS, check_update

if TYPE_CHECKING:
    from starlette.requests import Request

    from visma_twilio_sandbox.twilio.service import Twilio
    from visma_twilio_sandbox.twilio.store import Message

_CREATES = ("/Messages.json", "/Calls.json")
_FORM = "application/x-www-form-urlencoded"


def api_app(twilio: Twilio) -> Starlette:
    """Make the ASGI application of an account."""
    api = _Api(twilio)
    account = f"{ACCOUNTS}/{{account}}"
    return Starlette(
        routes=[
            Route(f"{account}.json", api.account, methods=["GET"]),
            Route(f"{account}/Messages.json", api.messages, methods=["GET", "POST"]),
            Route(
                f"{account}/Messages/{{sid}}.json", api.message, methods=["GET", "POST", "DELETE"]
            ),
            Route(f"{account}/Calls.json", api.calls, methods=["GET", "POST"]),
            Route(f"{account}/Calls/{{sid}}.json", api.call, methods=["GET"]),
            Route(f"{account}/IncomingPhoneNumbers.json", api.numbers, methods=["GET"]),
        ],
        exception_handlers={TwilioError: api.refuse, 404: api.not_found, 405: api.not_found},
    )


class _Api:
    def __init__(self, twilio: Twilio) -> None:
        self._twilio = twilio
        self._request_ids = itertools.count(1)

    async def account(self, request: Request) -> Response:
        """Fetch Account; a standard API key may not."""
        self._live(request)
        if is_api_key(request):
            raise TwilioError(20003)
        return self._answer(account_json())

    async def messages(self, request: Request) -> Response:
        """Create Message and List Messages."""
        if request.method == "POST":
            return await self._create(request)
        self._live(request)
        answer = list_messages(
            self._twilio.messages, request.url.path, request.query_params.multi_items()
        )
        for message in answer["messages"]:
            self._twilio.store.advance(message["sid"])
        return self._answer(answer)

    async def message(self, request: Request) -> Response:
        """Fetch, update and delete one message."""
        self._live(request)
        message = self._found(request)
        if request.method == "POST":
            return await self._update(request, message)
        if request.method == "DELETE":
            if not self._twilio.store.is_done(message):
                raise TwilioError(20009)
            self._twilio.store.remove(message.sid)
            return Response(status_code=204, headers=self._headers())
        answer = message_json(message)
        self._twilio.store.advance(message.sid)
        return self._answer(answer)

    async def calls(self, request: Request) -> Response:
        """Create Call and List Calls."""
        twilio = self._twilio
        if request.method == "POST":
            account = self._login(request)
            call = create_call(
                await _form(request),
                account_sid=account,
                new_sid=twilio.store.new_sid,
                refuses=twilio.refuses_calls,
            )
            if account == credentials.ACCOUNT_SID:
                twilio.call_store.add(call)
            return self._answer(call_json(call), 201)
        self._live(request)
        answer = list_calls(twilio.calls, request.url.path, request.query_params.multi_items())
        for found in answer["calls"]:
            twilio.call_store.advance(found["sid"])
        return self._answer(answer)

    async def call(self, request: Request) -> Response:
        """Fetch Call."""
        self._live(request)
        call = self._twilio.call_store.get(request.path_params["sid"])
        if call is None:
            raise _unknown(request)
        answer = call_json(call)
        self._twilio.call_store.advance(call.sid)
        return self._answer(answer)

    async def numbers(self, request: Request) -> Response:
        """List IncomingPhoneNumbers; the filter finds parts of numbers too."""
        self._live(request)
        wanted = request.query_params.get("PhoneNumber", "")
        numbers = [number_json()] if wanted in credentials.FROM_NUMBER else []
        uri = f"{request.url.path}?{request.url.query}"
        answer = {
            "end": 0,
            "first_page_uri": uri,
            "incoming_phone_numbers": numbers,
            "next_page_uri": None,
            "page": 0,
            "page_size": page_size(request.query_params),
            "previous_page_uri": None,
            "start": 0,
            "uri": uri,
        }
        return self._answer(answer)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Answer a refusal, and note it if it was of a create."""
        if not isinstance(error, TwilioError):
            raise error
        if request.method == "POST" and request.url.path.endswith(_CREATES):
            self._twilio.refused.append(error)
        response = error.response()
        response.headers.update(self._headers())
        return response

    async def not_found(self, request: Request, _: Exception) -> Response:
        """Answer 404 in Twilio's words."""
        return await self.refuse(request, _unknown(request))

    async def _create(self, request: Request) -> Response:
        account = self._login(request)
        message = create_message(
            await _form(request),
            account_sid=account,
            new_sid=self._twilio.store.new_sid,
            refuses=self._twilio.refuses,
            windows=self._twilio.whatsapp_windows,
        )
        if account == credentials.ACCOUNT_SID:
            self._twilio.store.add(message)
        return self._answer(message_json(message), 201)

    async def _update(self, request: Request, message: Message) -> Response:
        form = read_form(await _form(request), PARAMETERS)
        store = self._twilio.store
        status = check_update(form, message, is_done=store.is_done(message))
        return self._answer(
            message_json(store.update(message.sid, body=form.get("Body"), status=status))
        )

    def _login(self, request: Request) -> str:
        account = authenticate(request)
        if request.path_params["account"] != account:
            raise TwilioError(20003)
        return account

    def _live(self, request: Request) -> None:
        if self._login(request) == credentials.TEST_ACCOUNT_SID:
            raise TwilioError(20008)

    def _found(self, request: Request) -> Message:
        message = self._twilio.store.get(request.path_params["sid"])
        if message is None:
            raise _unknown(request)
        return message

    def _answer(self, body: dict[str, Any], status: int = 200) -> Response:
        return Response(json.dumps(body), status, self._headers(), media_type=JSON)

    def _headers(self) -> dict[str, str]:
        return {
            "Twilio-Concurrent-Requests": "1",
            "Twilio-Request-Id": f"RQ{next(self._request_ids):032x}",
        }


def _unknown(request: Request) -> TwilioError:
    return TwilioError(20404, f"The requested resource {request.url.path} was not found")


async def _form(request: Request) -> list[tuple[str, str]]:
    """Read the form; any other kind of body holds no parameters, as JSON does not for Twilio."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        return []
    try:
        text = (await request.body()).decode()
        return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError:
        raise TwilioError(20001, "The request body is not a form in UTF-8") from None
