"""What other documents refer to: VAT, countries, people, places, and how things are numbered."""

from __future__ import annotations

from typing import ClassVar

from tap_visma.kinds import Filter, Paging
from tap_visma.stream import VismaStream


class Vats(VismaStream):
    """VAT codes with their rates and accounts."""

    name = "vats"
    path = "/v1/vat"
    primary_keys = ("tenant_id", "company", "vatId")
    paging = Paging.WHOLE
    is_finance = True


class VatCategories(VismaStream):
    """VAT categories with the VAT codes that they hold."""

    name = "vat_categories"
    path = "/v1/vatCategory"
    primary_keys = ("tenant_id", "company", "vatCategoryId")
    paging = Paging.WHOLE
    is_finance = True


class VatZones(VismaStream):
    """VAT zones: where a supplier or customer is taxed."""

    name = "vat_zones"
    path = "/v1/vatZone"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    is_finance = True


class Departments(VismaStream):
    """Departments with their expense accounts."""

    name = "departments"
    path = "/v1/department"
    primary_keys = ("tenant_id", "company", "departmentId")
    paging = Paging.WHOLE
    is_finance = True


class Employees(VismaStream):
    """Employees: personal data, so opt in only if you need it."""

    name = "employees"
    path = "/v1/employee"
    primary_keys = ("tenant_id", "company", "employeeId")


class Contacts(VismaStream):
    """Contact persons: personal data, so opt in only if you need it."""

    name = "contacts"
    path = "/v1/contact"
    primary_keys = ("tenant_id", "company", "contactId")
    paging = Paging.WHOLE


class Locations(VismaStream):
    """Locations of customers and others."""

    name = "locations"
    path = "/v1/location"
    primary_keys = ("tenant_id", "company", "account_id", "locationId")
    keys_from: ClassVar = {"account_id": ("baccount", "internalId")}


class Countries(VismaStream):
    """Countries."""

    name = "countries"
    path = "/v1/country"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None


class Languages(VismaStream):
    """Languages that texts can have."""

    name = "languages"
    path = "/v1/multilanguage/languages"
    primary_keys = ("tenant_id", "company", "languageISO")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE


class Attributes(VismaStream):
    """Attributes that the company defined, with their values."""

    name = "attributes"
    path = "/v1/attribute"
    primary_keys = ("tenant_id", "company", "attributeID")


class Dimensions(VismaStream):
    """Ids of the dimensions (segmented keys), such as that of subaccounts."""

    name = "dimensions"
    path = "/v1/dimension"
    primary_keys = ("tenant_id", "company", "id")
    text_field: ClassVar[str | None] = "id"
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE


class NumberSequences(VismaStream):
    """Number sequences of documents, by branch and date."""

    name = "number_sequences"
    path = "/v1/numberSequence"
    primary_keys = ("tenant_id", "company", "numberingId")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE


class AvailableScreens(VismaStream):
    """Screens of Visma.net that can be extended."""

    name = "available_screens"
    path = "/v1/uiExtension/availableScreens"
    primary_keys = ("tenant_id", "company", "screenId")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
