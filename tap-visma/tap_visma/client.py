"""One request to a list endpoint: signed, within the limits, tried again where that helps."""

from __future__ import annotations

import itertools
import random
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

import requests
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.streams.rest import HTTPRequest, PageContext, RESTStream
from typing_extensions import override
from urllib3.exceptions import HTTPError

from tap_visma import answers
from tap_visma.errors import AccessError, LimitReachedError, TapError
from tap_visma.pagination import Listing, Page

if TYPE_CHECKING:
    from collections.abc import Generator

    from backoff.types import Details
    from singer_sdk.helpers.types import Context, RequestFunc

    from tap_visma.bookmarks import Progress
    from tap_visma.company import Company
    from tap_visma.pagination import Row
    from tap_visma.tap import TapVisma

STAMP = "lastModifiedDateTime"

_LONGEST_PAUSE_SECONDS = 16


class VismaClient(RESTStream[Listing]):
    """Asks one company's list endpoint for pages.

    Attributes:
        takes_condition: Whether the filter needs `lastModifiedDateTimeCondition` beside it; with
            the stamp alone such an endpoint returns everything, silently.
        is_paged: Whether the endpoint knows pages.
    """

    takes_condition: ClassVar[bool] = True
    is_paged: ClassVar[bool] = True

    _tap: TapVisma
    _progress: Progress | None = None
    _listing: Listing | None = None
    _answered_at: float | None = None

    @property
    def company(self) -> Company:
        """The company that is read: its token, its limits, its connection."""
        return self._tap.company

    # What is asked

    @property
    @override
    def url_base(self) -> str:
        return self.company.api_url

    @cached_property
    @override
    def authenticator(self) -> requests.auth.AuthBase:
        return self.company.auth

    @property
    @override
    def requests_session(self) -> requests.Session:
        return self.company.session

    @property
    @override
    def timeout(self) -> int:
        return self.company.timeout_seconds

    @override
    def get_http_request(self, *, page: PageContext[Listing]) -> HTTPRequest:
        context = page.stream_context or {}
        params = self.own_params(context)
        progress = self._progress
        if progress is not None and progress.start is not None:
            params["lastModifiedDateTime"] = progress.start
            if self.takes_condition:
                params["lastModifiedDateTimeCondition"] = ">="
        if self.is_paged and page.next_page_token is not None:
            params["pageNumber"] = page.next_page_token.page
            params["pageSize"] = page.next_page_token.page_size
        return HTTPRequest(
            url=self.get_url(None),
            params=params,
            headers=self.company.headers,
        )

    def own_params(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Query parameters that only this stream has."""
        return {}

    # One request

    def _fetch(self, context: Context, listing: Listing) -> Page:
        try:
            response = self._with_retries(context, listing)
        except RetriableAPIError as error:
            if error.response is not None and error.response.status_code == answers.TOO_MANY:
                raise LimitReachedError(
                    "Visma.net goes on refusing with 429: the next run goes on",
                ) from None
            raise TapError(f"{error}; tried {self.backoff_max_tries()} times") from None
        except (requests.RequestException, HTTPError) as error:
            raise TapError(
                f"{self.company.api_url} did not answer ({type(error).__name__}; tried "
                f"{self.backoff_max_tries()} times): check api_url and the network",
            ) from None
        except FatalAPIError as error:
            raise TapError(str(error)) from None
        return Page.of([_unwrapped(row) for row in answers.rows(response)])

    def _with_retries(self, context: Context, listing: Listing) -> requests.Response:
        ask = cast("RequestFunc", self._ask)  # which takes a page to build each request for
        return self.request_decorator(ask)(cast("Any", context), cast("Any", listing))

    def _ask(self, context: Context, listing: Listing) -> requests.Response:
        """Send one request; a retry comes here again and may ask for a smaller page."""
        asked = self.get_http_request(page=PageContext(context, listing))
        prepared = self.build_prepared_request(
            method="GET",
            url=asked.url,
            params=asked.encode_params(),
            headers=asked.headers,
        )
        self.company.limits.before_request()
        return self._request(prepared, context)

    @override
    def _request(
        self,
        prepared_request: requests.PreparedRequest,
        context: Context | None,
    ) -> requests.Response:
        # The SDK sends without the environment's proxies and certificates; a company needs them.
        session = self.requests_session
        surroundings = session.merge_environment_settings(
            prepared_request.url,
            {},
            None,
            None,
            None,
        )
        response = session.send(prepared_request, timeout=self.timeout, **surroundings)
        self._write_request_duration_log(
            endpoint=self.path,
            response=response,
            context=context,
            extra_tags=None,
        )
        self.validate_response(response)
        return response

    @override
    def validate_response(self, response: requests.Response) -> None:
        status = response.status_code
        self._answered_at = answers.date_of(response)
        if status == answers.UNAUTHORIZED:
            if self.company.auth.refused():
                raise RetriableAPIError(answers.told(response), response)
            raise AccessError(
                "Visma.net refuses the token (401, twice): check that tenant_id is the company's "
                "tenant id and not the customer's, that the company's integration administrator "
                "has approved the application, and that it has the API role and a licence",
            )
        if status == answers.TOO_MANY:
            self._pause = self.company.limits.wait_after_refusal(response.headers)
            raise RetriableAPIError(answers.told(response), response)
        self.company.auth.accepted()
        self.company.limits.after_answer(response.headers)
        if status >= answers.SERVER_ERROR:
            raise RetriableAPIError(answers.told(response), response)
        if status != requests.codes.ok:
            raise FatalAPIError(f"{answers.told(response)}: {answers.mend(status)}")

    # What happens between two tries of one request

    _pause = 0.0

    @override
    def backoff_wait_generator(self) -> Generator[float, Any, None]:
        error = yield 0.0
        for attempt in itertools.count():
            status = _status(error)
            if status == answers.TOO_MANY:
                seconds = self._pause
            elif status == answers.UNAUTHORIZED:
                seconds = 0.0
            else:
                seconds = random.uniform(0, min(2.0**attempt, _LONGEST_PAUSE_SECONDS))  # noqa: S311
            error = yield seconds

    @override
    def backoff_jitter(self, value: float) -> float:
        return value  # what a 429 asks for is waited exactly; the rest has its jitter already

    @override
    def backoff_handler(self, details: Details) -> None:
        error = details.get("exception")
        status = _status(error)
        is_slow = isinstance(error, (requests.Timeout, requests.ConnectionError))
        if self._listing is not None and (is_slow or (status or 0) >= answers.SERVER_ERROR):
            self._listing.make_pages_smaller()
        self.logger.info(
            "%s: trying again in %.1f s: %s",
            self.name,
            details.get("wait", 0.0),
            error if isinstance(error, RetriableAPIError) else type(error).__name__,
        )


def _status(error: BaseException | None) -> int | None:
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)


def _unwrapped(row: Row) -> Row:
    """Some connectors saw {"value": x} where the contract has x; both mean x."""
    for name, value in row.items():
        if type(value) is dict and len(value) == 1 and "value" in value:
            row[name] = value["value"]
    return row
