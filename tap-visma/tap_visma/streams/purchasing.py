"""What the company orders."""

from __future__ import annotations

from tap_visma.stream import VismaStream


class PurchaseOrders(VismaStream):
    """Purchase orders with their lines."""

    name = "purchase_orders"
    path = "/v1/purchaseorder"
    primary_keys = ("tenant_id", "company", "orderType", "orderNbr")
