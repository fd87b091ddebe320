"""Every list endpoint of the company: paths, keys, and how each one lists.

What Visma's OpenAPI says of them is in ``endpoints.json``, which a script of this repository
(``scripts/generate_sandbox_endpoints.py``) writes from the contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

DEFAULT_LEDGER = "1"

Shape = Literal["array", "records", "object"]
Paging = Literal["pages", "pages since 2026", "numbers", "whole"]
Filter = Literal["condition", "stamp", "none"]


@dataclass(frozen=True)
class Endpoint:
    """How one list endpoint works.

    Attributes:
        name: Resource name, as in the path without its version. Where there are two versions, the
            older one's is the whole path.
        path: The path below the host.
        stored_as: Name of the endpoint whose documents it lists: its own, or a newer version's.
        item: Type of an item; ``s`` for the one list of texts. See `TYPES`.
        key: Fields that tell one item from the others; dots go into an object.
        hidden: Key fields that items do not show.
        shape: A bare array, an envelope with ``records``, or one object and no list.
        paging: Whether it knows ``pageNumber`` and ``pageSize``, since when, or at least
            ``numberToRead`` and ``skipRecords``.
        filter: Whether it filters by stamp with a condition, without one, or not at all.
        created_filter: Whether it filters by the time of creation.
        required: Query parameters without which it answers 400.
        stamp: Field of an item that shows when it was modified.
        created: Whether items carry ``createdDateTime``.
        version: Field of an item that shows its row version.
        version_since_2026: Whether items have ``timeStamp`` only in later versions of the API.
        metadata: Whether items carry ``metadata``, with the total and the largest page size.
        deprecated: Whether Visma advises against it.
        filters: Query parameter to the item's field that must be equal.
    """

    name: str
    path: str
    stored_as: str
    item: str
    key: tuple[str, ...]
    hidden: frozenset[str]
    shape: Shape
    paging: Paging
    filter: Filter
    created_filter: bool
    required: tuple[str, ...]
    stamp: str | None
    created: bool
    version: str | None
    version_since_2026: bool
    metadata: bool
    deprecated: bool
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def paged(self) -> bool:
        """Whether it knows ``pageNumber`` in every version of the API."""
        return self.paging == "pages"

    @property
    def condition(self) -> bool:
        """Whether the timestamp filter takes a condition (and is nothing without one)."""
        return self.filter == "condition"

    def key_of(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        """The values that tell this item from the others.

        Args:
            item: An item, or its key: ``{"ledger.id": "1"}``, ``{"ledger": {"id": "1"}}`` and
                ``{"ledger": "1"}`` are the same.

        Raises:
            ValueError: A key field is missing.
        """
        return tuple(self._key_value(item, name) for name in self.key)

    def _key_value(self, item: Mapping[str, Any], name: str) -> str:
        value: Any = item.get(name)
        if value is None:
            value = item
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else value
        if value is None and name == "ledger.id":
            value = DEFAULT_LEDGER
        if value is None or isinstance(value, (Mapping, list)):
            raise ValueError(f"{self.name}: {name} is missing in the key")
        return str(value)


def find(name: str) -> Endpoint:
    """The endpoint of a name or a path, in any case.

    Raises:
        KeyError: There is none.
    """
    found = ENDPOINTS.get(name) or _BY_ANY_NAME.get(name.lower())
    if found is None:
        raise KeyError(f"there is no endpoint {name}")
    return found


_SAME_DOCUMENTS = {"/v1/payment": "customerPayment", "/v1/project/tasks": "projecttask"}
"""Lists of the same documents under another path, with items of the same type."""

_STATUS = ("status", ("status",))
_TYPE = ("documentType", ("documentType",))
_SUPPLIER = ("supplier", ("supplier", "number"))
_CUSTOMER = ("customer", ("customer", "number"))
_PERIOD = ("financialPeriod", ("financialPeriod",))
_PAYMENTS = (("paymentType", ("type",)), _STATUS, _CUSTOMER, ("paymentNbr", ("refNbr",)))

_FILTERS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "/v1/supplierInvoice": (_TYPE, _STATUS, _SUPPLIER, _PERIOD),
    "/v1/supplierPayment": (("paymentType", ("type",)), _STATUS, _SUPPLIER),
    "/v1/customerinvoice": (_TYPE, _STATUS, _CUSTOMER, _PERIOD),
    "/v1/customerPayment": _PAYMENTS,
    "/v1/payment": _PAYMENTS,
    "/v1/purchaseorder": (("orderType", ("orderType",)), ("orderStatus", ("status",)), _SUPPLIER),
    "/v2/journaltransaction": (
        ("periodId", ("financialPeriod",)),
        _STATUS,
        ("branch", ("branch",)),
    ),
    "/v1/GeneralLedgerTransactions": (
        ("ledger", ("ledger", "id")),
        ("account", ("account", "number")),
    ),
    "/v2/generalLedgerBalance": (
        ("periodId", ("financialPeriod",)),
        ("ledger", ("ledger", "id")),
        ("branch", ("branch", "number")),
        ("account", ("account", "number")),
    ),
    "/v1/budget": (
        ("branch", ("branchNumber", "number")),
        ("ledger", ("ledger",)),
        ("financialYear", ("financialYear",)),
    ),
    "/v1/supplierInvoice/approval": (("systemId", ("systemId",)),),
}


def _endpoints(facts: list[dict[str, Any]]) -> dict[str, Endpoint]:
    versions: dict[str, list[str]] = {}
    for one in facts:
        versions.setdefault(_short(one["path"]).lower(), []).append(one["path"])
    items = {one["path"]: one["item"] for one in facts}
    found = [
        _endpoint(one, newest, is_same=one["item"] == items[newest])
        for one in facts
        for newest in [max(versions[_short(one["path"]).lower()])]
    ]
    return {endpoint.name: endpoint for endpoint in found}


def _short(path: str) -> str:
    """The path without its version."""
    return path.split("/", 2)[2]


def _endpoint(fact: dict[str, Any], newest: str, *, is_same: bool) -> Endpoint:
    path = fact["path"]
    name = _short(path) if path == newest else path
    stored_as = _SAME_DOCUMENTS.get(path, _short(newest) if is_same else name)
    return Endpoint(
        name=name,
        path=path,
        stored_as=stored_as,
        item=fact["item"],
        key=tuple(fact["key"]),
        hidden=frozenset(fact["hidden"]),
        shape=fact["shape"],
        paging=fact["paging"],
        filter=fact["filter"],
        created_filter=fact["createdFilter"],
        required=tuple(fact["required"]),
        stamp=fact["stamp"],
        created=fact["created"],
        version=fact["version"],
        version_since_2026=fact["versionSince2026"],
        metadata=fact["metadata"],
        deprecated=fact["deprecated"],
        filters=_FILTERS.get(path, ()),
    )


_FACTS = json.loads(files(__package__).joinpath("endpoints.json").read_text("utf-8"))

ENDPOINTS: dict[str, Endpoint] = _endpoints(_FACTS["endpoints"])
TYPES: dict[str, dict[str, Any]] = _FACTS["types"]
"""Fields of the objects in items, by the type's name. A field's type is ``@Name`` of another
object, ``#1`` of an enumeration, one in a list for an array, or ``s`` text, ``i`` whole number,
``n`` number, ``b`` true or false, ``t`` time, ``u`` UUID, ``y`` bytes in base64."""
ENUMS: list[list[str]] = _FACTS["enums"]
"""Values of the enumerations."""

_BY_ANY_NAME = {
    name.lower(): endpoint
    for endpoint in ENDPOINTS.values()
    for name in (endpoint.name, endpoint.path, endpoint.path[1:])
}
