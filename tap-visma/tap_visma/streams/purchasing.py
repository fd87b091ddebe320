"""What the company orders and receives."""

from __future__ import annotations

from tap_visma.kinds import Lines
from tap_visma.stream import VismaStream


class PurchaseOrders(VismaStream):
    """Purchase orders with their lines."""

    name = "purchase_orders"
    path = "/v1/purchaseorder"
    primary_keys = ("tenant_id", "company", "orderType", "orderNbr")
    expands = ("includeCustomFreeFields",)
    is_finance = True
    lines = Lines("lines", ("lineNbr",))


class PurchaseOrdersBasic(VismaStream):
    """Purchase orders without addresses and contacts: a lighter answer."""

    name = "purchase_orders_basic"
    path = "/v1/purchaseorderbasic"
    primary_keys = ("tenant_id", "company", "orderType", "orderNbr")
    expands = ("includeCustomFreeFields",)


class PurchaseReceipts(VismaStream):
    """Purchase receipts with their lines."""

    name = "purchase_receipts"
    path = "/v2/PurchaseReceipt"
    primary_keys = ("tenant_id", "company", "receiptType", "receiptNbr")
    expands = ("expandNote", "includeCustomFreeFields")
    is_finance = True
    lines = Lines("lines", ("lineNbr",))


class PurchaseReceiptsBasic(VismaStream):
    """Purchase receipts without landed costs and notes: a lighter answer."""

    name = "purchase_receipts_basic"
    path = "/v1/PurchaseReceiptBasic"
    primary_keys = ("tenant_id", "company", "receiptType", "receiptNbr")
    expands = ("includeCustomFreeFields",)


class LandedCostCodes(VismaStream):
    """Codes of landed costs: freight, customs and the like."""

    name = "landed_cost_codes"
    path = "/v1/landedCostCode"
    primary_keys = ("tenant_id", "company", "landedCostCodeId")
    stamp = None
