"""What the company owns for years: fixed assets and what was posted for them."""

from __future__ import annotations

from tap_visma.kinds import Filter
from tap_visma.stream import VismaStream


class FixedAssets(VismaStream):
    """Fixed assets with what they cost and are worth."""

    name = "fixed_assets"
    path = "/v1/fixedAsset"
    primary_keys = ("tenant_id", "company", "assetID")
    expands = ("expandAccounts",)
    is_finance = True


class FixedAssetTransactions(VismaStream):
    """Purchases, depreciation and sales of fixed assets, line by line."""

    name = "fixed_asset_transactions"
    path = "/v1/fixedAssetTransaction"
    # A document has many lines, and each row is one: the route by `refNo` alone gives several.
    primary_keys = ("tenant_id", "company", "refNo", "lineNo")
    is_finance = True


class FixedAssetClasses(VismaStream):
    """Classes of fixed assets with their accounts and depreciation."""

    name = "fixed_asset_classes"
    path = "/v1/fixedAssetClass"
    primary_keys = ("tenant_id", "company", "classID")
    filter = Filter.NONE
    stamp = None
    is_finance = True


class FixedAssetPropertyTaxGroups(VismaStream):
    """Property tax groups of fixed assets."""

    name = "fixed_asset_property_tax_groups"
    path = "/v1/fixedAssetPropertyTaxGroup"
    primary_keys = ("tenant_id", "company", "propertyTaxID")
    filter = Filter.NONE
    stamp = None
