"""What the company sells: orders, shipments, prices, discounts, contracts, and who sells."""

from __future__ import annotations

from typing import ClassVar

from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.stream import VismaStream
from tap_visma.streams.demanding import DemandsFilter


class SalesOrders(VismaStream):
    """Sales orders with their lines."""

    name = "sales_orders"
    path = "/v2/salesorder"
    primary_keys = ("tenant_id", "company", "orderType", "orderNo")
    expands = ("showNotes",)
    lines = Lines("lines", ("lineNbr",))


class SalesOrdersBasic(VismaStream):
    """Sales orders without addresses and shipments: a lighter answer."""

    name = "sales_orders_basic"
    path = "/v1/salesorderbasic"
    primary_keys = ("tenant_id", "company", "orderType", "orderNo")
    expands = ("showNotes",)


class SalesOrderTypes(VismaStream):
    """Types of sales orders, and what each becomes."""

    name = "sales_order_types"
    path = "/v1/salesordertype"
    primary_keys = ("tenant_id", "company", "orderType")
    stamp = None


class Shipments(VismaStream):
    """Shipments to customers, with their lines."""

    name = "shipments"
    path = "/v1/shipment"
    primary_keys = ("tenant_id", "company", "shipmentNumber")
    expands = ("includeCustomFreeFields",)
    lines = Lines("shipmentDetailLines", ("lineNumber",))


class Carriers(VismaStream):
    """Who ships."""

    name = "carriers"
    path = "/v1/carrier"
    primary_keys = ("tenant_id", "company", "carrierId")
    paging = Paging.MAYBE


class CustomerSalesPrices(VismaStream):
    """Sales prices by customer, class of customers and item."""

    name = "customer_sales_prices"
    path = "/v1/customerSalesPrice"
    primary_keys = ("tenant_id", "company", "recordId")


class Discounts(VismaStream):
    """Discounts by series, with their breakpoints."""

    name = "discounts"
    path = "/v2/discount"
    primary_keys = ("tenant_id", "company", "discountCode", "discount_series")
    keys_from: ClassVar = {"discount_series": ("series",)}


class DiscountCodes(VismaStream):
    """Codes of discounts, and to what each applies."""

    name = "discount_codes"
    path = "/v2/discountCode"
    primary_keys = ("tenant_id", "company", "discountCode")


class SalesPersons(VismaStream):
    """Salespersons with their customers and commissions."""

    name = "sales_persons"
    path = "/v2/salesperson"
    primary_keys = ("tenant_id", "company", "salespersonID")


class SalesCategories(VismaStream):
    """The tree of sales categories."""

    name = "sales_categories"
    path = "/v1/salescategory"
    primary_keys = ("tenant_id", "company", "categoryID")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE


class CustomerContracts(DemandsFilter):
    """Contracts with customers."""

    name = "customer_contracts"
    path = "/v1/customerContract"
    primary_keys = ("tenant_id", "company", "contractId")
    paging = Paging.WHOLE
    expands = ("expandSummary", "expandDetails", "expandAttributes")


class ContractTemplates(VismaStream):
    """Templates of contracts with customers."""

    name = "contract_templates"
    path = "/v1/contractTemplate"
    primary_keys = ("tenant_id", "company", "id")
    paging = Paging.WHOLE
    expands = ("expandAttributes",)


class ContractUsages(VismaStream):
    """What was used under each contract, with lines; one row a contract."""

    name = "contract_usages"
    path = "/v1/contractUsage"
    primary_keys = ("tenant_id", "company", "contract")
    paging = Paging.WHOLE
    lines = Lines("transaction", ("transactionNumber",))
