"""VAT codes, categories and zones."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import about, active, date, entity, text

VAT = entity(
    "vat",
    text("number", "vatId", "VAT code."),
    about(),
    text(
        "type",
        "type",
        "Type of VAT.",
        (
            *("Sales", "Use", "Vat", "Withholding", "ExemptVat", "StatisticalVat", "DirectVat"),
            *("PendingVat", "ReverseVat"),
        ),
    ),
    text("category", "vatCategoryId", "VAT category."),
    text("account", "glAccounts.vatPayableAccount.number", "Account of VAT to pay."),
    date("end_date", "notValidAfter", "Last day on which it may be used."),
    label="VAT code",
)

VAT_CATEGORY = entity(
    "vat_category",
    text("number", "vatCategoryId", "Id of the VAT category."),
    about(),
    active(),
    stream="vat_categories",
    label="VAT category",
)

VAT_ZONE = entity(
    "vat_zone",
    text("number", "id", "Id of the VAT zone."),
    about(),
    label="VAT zone",
)
