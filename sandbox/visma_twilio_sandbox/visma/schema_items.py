"""Items that hold against Visma's schema and otherwise say little: made from a seed."""

from __future__ import annotations

import base64
import random
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.business.parties import CUSTOMERS, SUPPLIERS
from visma_twilio_sandbox.visma.endpoints import ENUMS, TYPES
from visma_twilio_sandbox.visma.rows import CREATED

if TYPE_CHECKING:
    from collections.abc import Callable

    from visma_twilio_sandbox.visma.endpoints import Endpoint
    from visma_twilio_sandbox.visma.rows import Item

_DEEPEST = 4
_SHALLOW = 3
_NULLS = 0.06
_EPOCH = datetime(2022, 1, 1)  # noqa: DTZ001 - Visma's dates have no zone
_DAYS = 1500
_IDENTIFYING = ("s", "i", "u")
_IDS = ("id", "number", "nbr", "no", "code", "cd", "ref", "tag", "iso")
_TEXTS = (
    "Kontorsmaterial",
    "Lokalhyra",
    "Konsulttjänster, mars",
    "Frakt & försäkring",
    'Möbler "Ödla"',
    "Årsavgift",
    "El och värme",
    "Resor\ttill Ålesund",
)
_NAMES = tuple(party.name for party in (*SUPPLIERS, *CUSTOMERS))
_CURRENCIES = ("SEK", "SEK", "NOK", "EUR", "DKK")
_UNITS = ("ST", "TIM", "KG", "M2")
_RARE = ("metadata", "errorInfo")


def item(endpoint: Endpoint, seed: object, index: int) -> Item:
    """An item of an endpoint, without stamps; the same for the same arguments.

    Args:
        endpoint: The endpoint.
        seed: Of the company.
        index: Which item; see `identity`.
    """
    chance = random.Random(f"item {seed} {endpoint.path} {index}")  # noqa: S311
    if endpoint.item == "s":
        return identity(endpoint, index)
    never = {endpoint.stamp, endpoint.version, CREATED if endpoint.created else None, *_RARE}
    made = {
        name: _value(kind, name, chance, index, 1)
        for name, kind in TYPES[endpoint.item[1:]].items()
        if name not in never
    }
    return merged(made, identity(endpoint, index))


def identity(endpoint: Endpoint, index: int) -> Item:
    """The fields that tell the item of this index from the others; enumerations are left out.

    Not only the key: whatever looks like an identifier is another one for another index.
    """
    found: Item = {}
    for path, kind in _identifiers(endpoint):
        _set(found, path, _identifier(kind, path[-1], index))
    return merged(found, _world(endpoint, index))


@cache
def _identifiers(endpoint: Endpoint) -> list[tuple[tuple[str, ...], str]]:
    """Where an item has identifiers, and of which types."""
    fields = TYPES.get(endpoint.item[1:], {})
    found: dict[tuple[str, ...], Any] = {}
    found |= {(name,): kind for name, kind in fields.items() if _is_id(name)}
    for path in (tuple(name.split(".")) for name in endpoint.key):
        if len(path) == 1:
            found[path] = fields.get(path[0], "s")
        else:
            parts = TYPES[fields[path[0]][1:]]
            found |= {(path[0], name): kind for name, kind in parts.items() if _is_id(name)}
            found[path] = parts[path[1]]
    return [(path, kind) for path, kind in found.items() if kind in _IDENTIFYING]


def merged(base: Item, other: Item) -> Item:
    """Both, the other's fields first, objects field by field."""
    result = dict(base)
    for name, value in other.items():
        known = result.get(name)
        both = isinstance(known, dict) and isinstance(value, dict)
        result[name] = merged(known, value) if both and known is not None else value
    return result


def _world(endpoint: Endpoint, index: int) -> Item:
    """What must fit together: branches, ledgers, years and the budgets that are asked by them."""
    year = datetime.now().year  # noqa: DTZ005 - the year is all of it
    if endpoint.name == "branch":
        return {"branchId": index + 1, "number": str(index + 1), "organizationId": 1}
    if endpoint.name == "financialPeriod":
        return {"year": year - index // 12, "period": f"{index % 12 + 1:02}"}
    if endpoint.name == "budget":
        return {
            "branchNumber": {"number": "1", "name": "Nordisk Demo AB"},
            "ledger": str(index % 2 + 1),
            "financialYear": str(year),
        }
    if endpoint.name in {"generalLedgerBalance", "GeneralLedgerTransactions"}:
        return {"ledger": {"id": "1", "description": "Actual ledger"}}
    return {}


def _is_id(name: str) -> bool:
    low = name.lower()
    return low.endswith(_IDS) and "currency" not in low


def _identifier(kind: str, name: str, index: int) -> Any:
    start = 10_000 + sum(name.encode()) % 80 * 1000
    if kind == "u":
        return str(uuid.UUID(int=(start << 64) + index, version=4))
    return start + index if kind == "i" else f"{start + index}"


def _set(found: Item, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        found = found.setdefault(name, {})
    found[path[-1]] = value


def _value(kind: Any, name: str, chance: random.Random, index: int, depth: int) -> Any:
    if isinstance(kind, list):
        count = chance.choice((0, 1, 1, 2)) if depth < _DEEPEST else 0
        return [_line(kind[0], name, chance, number, depth) for number in range(1, count + 1)]
    if kind.startswith("@"):
        return _object(kind, chance, index, depth)
    if kind.startswith("#"):
        return chance.choice(ENUMS[int(kind[1:])])
    if chance.random() < _NULLS:
        return None
    return _SCALARS[kind](chance, name)


def _line(kind: Any, name: str, chance: random.Random, number: int, depth: int) -> Any:
    """One of a list; whatever looks like a line number counts from 1."""
    made = _value(kind, name, chance, number, depth + 1)
    while made is None:
        made = _value(kind, name, chance, number, _SHALLOW)
    if isinstance(made, dict):
        for field in made:
            if field.lower() in {"linenumber", "linenbr", "lineno", "linenr", "sortorder"}:
                whole = TYPES[kind[1:]][field] == "i"
                made[field] = number if whole else str(number)
    return made


def _object(kind: str, chance: random.Random, index: int, depth: int) -> Item | None:
    if depth >= _DEEPEST or chance.random() < _NULLS:
        return {} if chance.random() < _NULLS else None
    return {
        name: _value(part, name, chance, index, depth + 1)
        for name, part in TYPES[kind[1:]].items()
        if name not in _RARE
    }


def _text(chance: random.Random, name: str) -> str:
    low = name.lower()
    for words, make in _WORDED:
        if any(word in low for word in words):
            return make(chance)
    if _is_id(name):
        return str(chance.randrange(1000, 99_999))
    return chance.choice(_NAMES if low.endswith("name") else _TEXTS)


_WORDED: tuple[tuple[tuple[str, ...], Callable[[random.Random], str]], ...] = (
    (("currency",), lambda chance: chance.choice(_CURRENCIES)),
    (("period",), lambda chance: f"{2022 + chance.randrange(4)}{chance.randrange(12) + 1:02}"),
    (("year",), lambda chance: str(2022 + chance.randrange(4))),
    (("uom", "unit"), lambda chance: chance.choice(_UNITS)),
    (("mail",), lambda chance: f"kontor{chance.randrange(90)}@example.com"),
    (("phone", "fax"), lambda chance: f"+4670174{chance.randrange(605, 699):04}"),
)


def _amount(chance: random.Random, _: str) -> Decimal:
    """Two to four decimals, now and then negative, zero, or large."""
    places = chance.choice((2, 2, 2, 3, 4))
    whole = chance.choice((0, 10**3, 10**5, 10**7, 10**11))
    amount = Decimal(chance.randrange(whole + 1) * 10**places + chance.randrange(10**places))
    return amount.scaleb(-places) * chance.choice((1, 1, 1, -1))


def _date(chance: random.Random, _: str) -> str:
    day = _EPOCH + timedelta(days=chance.randrange(_DAYS))
    return day.isoformat(timespec="seconds")


_SCALARS: dict[str, Any] = {
    "s": _text,
    "i": lambda chance, name: chance.randrange(1, 99_999 if _is_id(name) else 30),
    "n": _amount,
    "b": lambda chance, _: chance.random() < 0.5,  # noqa: PLR2004
    "t": _date,
    "u": lambda chance, _: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
    "y": lambda chance, _: base64.b64encode(chance.getrandbits(64).to_bytes(8, "big")).decode(),
}
