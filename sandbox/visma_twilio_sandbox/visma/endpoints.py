"""The list endpoints of the company: paths, keys, and how each one lists (Visma's OpenAPI)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LEDGER = "1"


@dataclass(frozen=True)
class Endpoint:
    """How one list endpoint works.

    Attributes:
        name: Resource name, as in the path.
        version: API version in the path.
        key: Fields that tell one item from the others.
        paged: Whether it knows ``pageNumber`` and ``pageSize`` and items carry ``metadata``.
        condition: Whether the timestamp filter takes a condition (and is nothing without one).
        created: Whether items carry ``createdDateTime``.
        row_version: Whether items carry ``timeStamp``.
        filters: Query parameter to the item's field that must be equal.
    """

    name: str
    key: tuple[str, ...]
    version: int = 1
    paged: bool = True
    condition: bool = True
    created: bool = False
    row_version: bool = False
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def path(self) -> str:
        """The path below the host."""
        return f"/v{self.version}/{self.name}"

    def key_of(self, item: Mapping[str, Any]) -> tuple[str, ...]:
        """The values that tell this item from the others.

        Raises:
            ValueError: A key field is missing.
        """
        return tuple(self._key_value(item, name) for name in self.key)

    def _key_value(self, item: Mapping[str, Any], name: str) -> str:
        value = item.get(name)
        if name == "ledger":  # an object in the item; its number, or nothing, in a key
            value = value.get("id") if isinstance(value, dict) else value or DEFAULT_LEDGER
        if value is None:
            raise ValueError(f"{self.name}: {name} is missing in the key")
        return str(value)


_STATUS = ("status", ("status",))
_SUPPLIER = ("supplier", ("supplier", "number"))
_CUSTOMER = ("customer", ("customer", "number"))
_PERIOD = ("financialPeriod", ("financialPeriod",))

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint(
            "supplierInvoice",
            ("documentType", "referenceNumber"),
            created=True,
            row_version=True,
            filters=(("documentType", ("documentType",)), _STATUS, _SUPPLIER, _PERIOD),
        ),
        Endpoint(
            "supplierPayment",
            ("type", "refNbr"),
            row_version=True,
            filters=(("paymentType", ("type",)), _STATUS, _SUPPLIER),
        ),
        Endpoint(
            "customerinvoice",
            ("documentType", "referenceNumber"),
            created=True,
            filters=(("documentType", ("documentType",)), _STATUS, _CUSTOMER, _PERIOD),
        ),
        Endpoint(
            "customerPayment",
            ("type", "refNbr"),
            filters=(("paymentType", ("type",)), _STATUS, _CUSTOMER, ("paymentNbr", ("refNbr",))),
        ),
        Endpoint(
            "purchaseorder",
            ("orderType", "orderNbr"),
            row_version=True,
            filters=(("orderType", ("orderType",)), ("orderStatus", ("status",)), _SUPPLIER),
        ),
        Endpoint(
            "journaltransaction",
            ("module", "batchNumber"),
            version=2,
            condition=False,
            filters=(("periodId", ("financialPeriod",)), _STATUS, ("branch", ("branch",))),
        ),
        Endpoint("ledger", ("number",), paged=False),
        Endpoint(
            "GeneralLedgerTransactions",
            ("ledger", "module", "batchNumber", "lineNumber"),
            filters=(("ledger", ("ledger", "id")), ("account", ("account", "number"))),
        ),
    )
}
