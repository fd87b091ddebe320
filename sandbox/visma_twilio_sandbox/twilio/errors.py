"""Twilio's error answers: `{"code", "message", "more_info", "status"}`.

Source of codes and words: Twilio's error dictionary, https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from visma_twilio_sandbox.faults import Fault

JSON = "application/json;charset=utf-8"

MESSAGES: dict[int, tuple[int, str]] = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20008: (403, "Resource not accessible with Test Account Credentials"),
    20009: (409, "Cannot delete this resource before it is complete"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service Unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required"),
    21210: (400, "The source phone number provided is not yet verified for your account"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid From Number (caller ID)"),
    21213: (400, "'From' phone number is required"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call this country"),
    21216: (400, "Account not allowed to call this number"),
    21217: (400, "Phone number does not appear to be valid"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number is not a valid, SMS-capable sender of your account"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and 'From'"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21655: (400, "The ContentSid is Invalid"),
    21656: (400, "The ContentVariables Parameter is invalid"),
    21705: (400, "The Messaging Service Sid is invalid"),
    21910: (400, "Invalid From and To pair. From and To should be of the same channel"),
    30003: (400, "Unreachable destination handset"),
    30004: (400, "Message blocked"),
    30005: (400, "Unknown destination handset"),
    30006: (400, "Landline or unreachable carrier"),
    30007: (400, "Message filtered"),
    30008: (400, "Unknown error"),
    30400: (400, "Parameters are not valid"),
    30409: (409, "Message cannot be canceled"),
    35111: (400, "SendAt timestamp is missing"),
    35114: (400, "SendAt must be between 300 seconds and 35 days in the future"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
    63016: (400, "Failed to send freeform message because you are outside the allowed window"),
    63021: (400, "Channel invalid content error"),
    63028: (400, "Number of parameters provided does not match the expected number of params"),
    90007: (400, "ValidityPeriod must be between 1 and 36000 seconds"),
}
"""HTTP status and words for each code; 30003 to 30008, 63016, 63021 and 63028 appear as a
message's `error_code` only.
"""

_CODE_OF_STATUS = {400: 20001, 401: 20003, 403: 20003, 404: 20404, 429: 20429, 503: 20503}


class TwilioError(Exception):
    """A request that is refused.

    Args:
        code: Twilio's error code.
        message: What is wrong; the table's words if it is left out.
        status: The HTTP status; the table's if it is left out.
    """

    def __init__(self, code: int, message: str | None = None, status: int | None = None) -> None:
        known_status, known_message = MESSAGES.get(code, (400, f"Error {code}"))
        self.code = code
        self.message = message or known_message
        self.status = status or known_status
        super().__init__(f"{code}: {self.message}")

    def response(self) -> Response:
        """Write the answer."""
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}  # noqa: PLR2004
        return Response(
            error_json(self.code, self.message, self.status),
            self.status,
            headers,
            media_type=JSON,
        )


def error_json(code: int, message: str, status: int) -> bytes:
    """Write the body of an error answer."""
    return json.dumps(
        {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }
    ).encode()


def error_body(fault: Fault) -> tuple[bytes, str]:
    """Body and content type for a fault, which may carry a code of its own."""
    status = fault.status or 500
    code = fault.code or _CODE_OF_STATUS.get(status, 20500)
    known = MESSAGES.get(code)
    return error_json(code, known[1] if known else HTTPStatus(status).phrase, status), JSON
