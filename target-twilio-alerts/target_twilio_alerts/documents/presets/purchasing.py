"""What the company orders and receives."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import (
    COMPANY_CURRENCY,
    about,
    date,
    each,
    entity,
    line_count,
    money,
    number,
    on_hold,
    supplier,
    text,
)

PURCHASE_ORDER = entity(
    "purchase_order",
    text(
        "type",
        "orderType",
        "RegularOrder, DropShip, Blanket, StandardBlanket.",
        ("RegularOrder", "DropShip", "Blanket", "StandardBlanket"),
    ),
    text("number", "orderNbr", "Order number."),
    text(
        "status",
        "status",
        "Order status.",
        (
            *("Balanced", "Cancelled", "Closed", "Hold", "Open", "PendingEmail", "PendingPrint"),
            *("Printed", "Voided"),
        ),
    ),
    money("amount", "orderTotal", "Total with VAT."),
    text("currency", "currency", "Currency of the order."),
    money("base_amount", "orderTotalInBaseCurrency", "The same.", unit=COMPANY_CURRENCY),
    money("balance", "openBalance", "What is ordered and not received."),
    *supplier(),
    date("date", "date", "Date of the order."),
    date("delivery_date", "promisedOn", "When the supplier promised to deliver."),
    about(),
    text("reference", "supplierRef", "The supplier's own number of the order."),
    on_hold(),
    text("owner", "owner.name", "Who is responsible for the order."),
    final=("Closed", "Cancelled", "Voided"),
)

PURCHASE_RECEIPT = entity(
    "purchase_receipt",
    text(
        "type",
        "receiptType",
        "PoReceipt, PoReturn (sent back), TransferReceipt.",
        ("PoReceipt", "PoReturn", "TransferReceipt"),
    ),
    text("number", "receiptNbr", "Receipt number."),
    text("status", "status", "Receipt status.", ("Hold", "Balanced", "Released")),
    money("amount", "totalAmt", "Total; negative for what is sent back."),
    text("currency", "currency", "Currency of the receipt."),
    money("control_total", "controlTotal", "What the total should be."),
    number("quantity", "totalQty", "How much is received, over all lines.", unit="pieces"),
    number("control_quantity", "controlQty", "How much it should be.", unit="pieces"),
    *supplier(),
    date("date", "date", "Date of the receipt."),
    text("reference", "supplierRef", "The supplier's own number of the delivery."),
    text("period", "postPeriod", "Financial period."),
    on_hold(),
    text("warehouse", "warehouse.id", "Warehouse it comes into."),
    each("orders", "lines[].poOrderNbr", "Orders of its lines."),
    line_count("lines[]"),
    final=("Released",),
    credits_are=("PoReturn",),
)

SUPPLIER_PO_BALANCE = entity(
    "supplier_po_balance",
    *supplier(),
    money("open_orders_total", "totalOpenPOOrderTotal", "Open orders.", unit=COMPANY_CURRENCY),
    money("held_orders_total", "totalPOOnHoldOrderTotal", "Orders on hold.", unit=COMPANY_CURRENCY),
    money(
        "closed_orders_total",
        "totalClosedPOOrderTotal",
        "Closed orders.",
        unit=COMPANY_CURRENCY,
    ),
    label="Supplier purchase order balance",
)
