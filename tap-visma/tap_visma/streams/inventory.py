"""Items, where they are kept, and how they come and go."""

from __future__ import annotations

from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.stream import VismaStream


class InventoryItems(VismaStream):
    """Stock and non-stock items; an item's number may change, its internal id does not."""

    name = "inventory_items"
    path = "/v1/inventory"
    primary_keys = ("tenant_id", "company", "inventoryId")
    expands = (
        "addCostPriceStatistics",
        "expandCrossReference",
        "expandAttachment",
        "expandAttribute",
        "expandWarehouseDetail",
        "expandAccountInformation",
        "expandInventoryUnits",
        "expandSupplierDetails",
        "expandSalesCategories",
        "expandNote",
    )


class InventoryAdjustments(VismaStream):
    """Corrections of stock, with lines."""

    name = "inventory_adjustments"
    path = "/v1/inventoryadjustment"
    primary_keys = ("tenant_id", "company", "referenceNumber")
    lines = Lines("adjusmentLines", ("lineNumber",))  # spelt as the API spells it


class InventoryIssues(VismaStream):
    """Goods that left the stock, with lines."""

    name = "inventory_issues"
    path = "/v1/inventoryissue"
    primary_keys = ("tenant_id", "company", "referenceNumber")
    lines = Lines("issueLines", ("lineNumber",))


class InventoryReceipts(VismaStream):
    """Goods that came into the stock, with lines."""

    name = "inventory_receipts"
    path = "/v1/inventoryReceipt"
    primary_keys = ("tenant_id", "company", "referenceNumber")
    lines = Lines("receiptLines", ("lineNumber",))


class InventoryTransfers(VismaStream):
    """Goods that moved between warehouses, with lines."""

    name = "inventory_transfers"
    path = "/v1/inventoryTransfer"
    primary_keys = ("tenant_id", "company", "referenceNumber")
    lines = Lines("transferLines", ("lineNumber",))


class Stocktakes(VismaStream):
    """Counts of the stock, with lines."""

    name = "stocktakes"
    path = "/v2/stocktake"
    primary_keys = ("tenant_id", "company", "referenceNbr")
    lines = Lines("lines", ("lineNbr",))


class KitAssemblies(VismaStream):
    """Kits that were put together or taken apart; a number is of one type."""

    name = "kit_assemblies"
    path = "/v1/kitassembly"
    primary_keys = ("tenant_id", "company", "type", "refNo")
    envelope = "records"
    expands = ("expandStockComponents", "expandNonStockComponents", "expandKitAllocations")


class KitSpecifications(VismaStream):
    """What kits are made of, by revision."""

    name = "kit_specifications"
    path = "/v1/KitSpecifications"
    primary_keys = ("tenant_id", "company", "kitInventoryID", "revision")
    envelope = "records"


class ItemClasses(VismaStream):
    """Classes of items."""

    name = "item_classes"
    path = "/v1/inventory/itemClass"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.MAYBE


class ItemPostClasses(VismaStream):
    """Posting classes: the accounts that items are posted to."""

    name = "item_post_classes"
    path = "/v1/inventory/itemPostClass"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.MAYBE


class LotSerialClasses(VismaStream):
    """How lots and serial numbers are followed."""

    name = "lot_serial_classes"
    path = "/v1/lotserialclass"
    primary_keys = ("tenant_id", "company", "id")


class Warehouses(VismaStream):
    """Warehouses with their locations."""

    name = "warehouses"
    path = "/v1/warehouse"
    primary_keys = ("tenant_id", "company", "warehouseID")
    filter = Filter.NONE
    stamp = None
    paging = Paging.MAYBE


class PackagingTypes(VismaStream):
    """Boxes to ship in."""

    name = "packaging_types"
    path = "/v1/packagingType"
    primary_keys = ("tenant_id", "company", "boxId")


class UnitsOfMeasure(VismaStream):
    """Units, and how each converts to another."""

    name = "units_of_measure"
    path = "/v1/unitofmeasure"
    primary_keys = ("tenant_id", "company", "fromUnit", "toUnit")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
