"""How this company's server happens to behave where Visma documents nothing: drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from visma_twilio_sandbox.visma.endpoints import ENDPOINTS, TYPES, Endpoint

Order = Literal["shuffled", "key", "oldest first", "newest first"]
ErrorShape = Literal["message", "Message", "IPPException", "text", "empty"]

_ZONES = ("UTC", "Europe/Stockholm", "Europe/Oslo", "Europe/Helsinki", "Europe/London")
_ORDERS: tuple[Order, ...] = ("shuffled", "key", "oldest first", "newest first")
_SHAPES: tuple[ErrorShape, ...] = ("message", "Message", "IPPException", "text", "empty")
_MAX_PAGE_SIZES = (20, 50, 100, 200, 250, 500, 1000)
_DEFAULT_PAGE_SIZES = (10, 25, 50, 100)
_WRAPPED = 3

BUSINESS = (
    "supplierInvoice",
    "supplierPayment",
    "customerinvoice",
    "customerPayment",
    "purchaseorder",
    "journaltransaction",
    "GeneralLedgerTransactions",
)
"""Endpoints whose documents come from `visma_twilio_sandbox.business`, and never by themselves."""


@dataclass
class Manners:
    """What a client cannot know beforehand, and must get along with. All of it can be set.

    Attributes:
        zone: Zone of the server's stamps, which do not tell it.
        order: Order of a listing.
        strict_after: Whether the condition ``>`` leaves out equal stamps. Visma's own pages
            have said both.
        journal_inclusive: Whether journals stamped exactly at the asked time are listed.
        error_shape: What an error's body looks like.
        default_page_size: Page size for a request that does not say one.
        salt: What shuffled rows are shuffled by.
        is_2026: Whether the API is of early 2026 or later: more lists have pages, and more items
            have ``timeStamp``.
        reset_as_epoch: Whether ``X-RateLimit-Reset`` is a time instead of a number of seconds.
        max_page_size: Largest page per endpoint; for journals it counts lines.
        wrapped: Fields that are served as ``{"value": x}``, per endpoint.
    """

    zone: ZoneInfo
    order: Order
    strict_after: bool
    journal_inclusive: bool
    error_shape: ErrorShape
    default_page_size: int
    salt: str
    is_2026: bool = False
    reset_as_epoch: bool = False
    max_page_size: dict[str, int] = field(default_factory=dict)
    wrapped: dict[str, set[str]] = field(default_factory=dict)


def draw(seed: int, zone: str | None = None) -> Manners:
    """Draw the manners that belong to a seed; a zone given by name is kept."""
    chance = random.Random(f"visma {seed}")  # noqa: S311
    drawn_zone = chance.choice(_ZONES)
    manners = Manners(
        zone=ZoneInfo(zone or drawn_zone),
        order=chance.choice(_ORDERS),
        strict_after=chance.random() < 0.5,  # noqa: PLR2004
        journal_inclusive=chance.random() < 0.5,  # noqa: PLR2004
        error_shape=chance.choice(_SHAPES),
        default_page_size=chance.choice(_DEFAULT_PAGE_SIZES),
        salt=str(seed),
    )
    sizes = (*BUSINESS, *(name for name in ENDPOINTS if name not in BUSINESS))
    manners.max_page_size = {name: chance.choice(_MAX_PAGE_SIZES) for name in sizes}
    manners.is_2026 = chance.random() < 0.5  # noqa: PLR2004
    manners.reset_as_epoch = chance.random() < 0.25  # noqa: PLR2004
    if chance.randrange(_WRAPPED) == 0:
        drawn = {name: _wrapped(ENDPOINTS[name], chance) for name in sizes[len(BUSINESS) :]}
        manners.wrapped = {name: fields for name, fields in drawn.items() if fields}
    return manners


def _wrapped(endpoint: Endpoint, chance: random.Random) -> set[str]:
    """A few fields that are neither key nor stamp, of some endpoints."""
    told = {name.partition(".")[0] for name in endpoint.key}
    told |= {"lastModified", "lastModifiedDateTime", "createdDateTime", "timeStamp", "timestamp"}
    fields = TYPES.get(endpoint.item[1:], {}).items()
    plain = [name for name, kind in fields if kind in ("s", "i", "n") and name not in told]
    return set(chance.sample(plain, min(len(plain), chance.choice((0, 0, 1, 2)))))
