"""Bodies of requests: never longer than a limit, and forms as their sender signed them."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.requests import Request

    Form = ImmutableMultiDict[str, str]

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 200
_SECONDS = 10.0
"""How long a sender may take for a body."""


async def read(request: Request, *, most: int) -> bytes:
    """The body.

    Raises:
        HTTPException: It is longer than ``most`` bytes, or takes too long to come.
    """
    try:
        return await asyncio.wait_for(_read(request, most), _SECONDS)
    except asyncio.TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
    except ClientDisconnect:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)


async def read_form(request: Request, *, most: int) -> Form:
    """The fields of a form, with those that are blank or there twice.

    Raises:
        HTTPException: It is no form, or longer than ``most`` bytes.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    body = await read(request, most=most)
    try:
        fields = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None
    return ImmutableMultiDict(fields)
