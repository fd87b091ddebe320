"""Made-up suppliers, customers and exchange rates of the demo company."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Party:
    """A supplier or a customer."""

    internal_id: int
    number: str
    name: str
    country: str = "SE"


SUPPLIERS = (
    Party(1001, "50001", "Kontorsgrossisten i Malmö AB"),
    Party(1002, "50002", "Norrsken El & Energi AB"),
    Party(1003, "50003", "Bergström & Söner Åkeri AB"),
    Party(1004, "50004", "Fjord Seafood AS", "NO"),
    Party(1005, "50005", "Øresund Papir ApS", "DK"),
    Party(1006, "50006", "Järvinen Konepaja Oy", "FI"),
    Party(1007, "50007", "Håndværk & Design A/S", "DK"),
    Party(1008, "50008", 'Lund "Express" Bud AB'),
)
CUSTOMERS = (
    Party(2001, "10001", "Västkustens Bygg AB"),
    Party(2002, "10002", "Åre Fjällhotell AB"),
    Party(2003, "10003", "Nordlys Hotell AS", "NO"),
    Party(2004, "10004", "Smørrebrød & Co ApS", "DK"),
    Party(2005, "10005", "Äppelträdgården Ekonomisk Förening"),
)
BASE_CURRENCY = "SEK"
RATES = {
    "SEK": Decimal(1),
    "EUR": Decimal("11.4350"),
    "NOK": Decimal("0.9780"),
    "DKK": Decimal("1.5320"),
    "USD": Decimal("10.4125"),
}
"""What one unit costs in the base currency."""
