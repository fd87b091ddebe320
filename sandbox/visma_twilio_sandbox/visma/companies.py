"""The companies of one customer, each with documents and a budget of calls of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, overload

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.visma.company import VismaCompany

if TYPE_CHECKING:
    from typing_extensions import Self

_NAMES = ("Nordisk Demo AB", "Fjord Demo AS", "Sund Demo ApS", "Järvi Demo Oy")
_FIRST_COMPANY_ID = 1_234_567


class Companies(Sequence[VismaCompany]):
    """By place, ``companies[0]``, or by tenant id, ``companies["1111..."]``."""

    def __init__(self, companies: Sequence[VismaCompany]) -> None:
        self._companies = list(companies)
        self._by_tenant = {company.tenant_id: company for company in companies}

    @classmethod
    def of(
        cls,
        wanted: int | Sequence[str],
        seed: int,
        zones: str | Sequence[str] | None,
    ) -> Self:
        """Found companies.

        Args:
            wanted: How many, or their names.
            seed: Decides their manners, which they have in common, and their documents.
            zones: Zone of the stamps of all, or of each in turn, instead of the drawn one.

        Raises:
            ValueError: No company is wanted, or two of the same name.
        """
        names = _names(wanted) if isinstance(wanted, int) else list(wanted)
        if not names or len(set(names)) < len(names):
            raise ValueError(f"not one or more companies of different names: {wanted}")
        turns = cycle([zones] if zones is None or isinstance(zones, str) else zones)
        return cls(
            [
                VismaCompany(
                    seed,
                    next(turns),
                    name=name,
                    tenant_id=credentials.tenant_id(number),
                    company_id=str(_FIRST_COMPANY_ID + number - 1),
                )
                for number, name in enumerate(names, start=1)
            ],
        )

    @overload
    def __getitem__(self, which: int | str) -> VismaCompany: ...

    @overload
    def __getitem__(self, which: slice) -> list[VismaCompany]: ...

    def __getitem__(self, which: int | str | slice) -> VismaCompany | list[VismaCompany]:
        if isinstance(which, str):
            return self._by_tenant[which]
        return self._companies[which]

    def __len__(self) -> int:
        return len(self._companies)

    def of_tenant(self, tenant_id: str) -> VismaCompany | None:
        """The company with this tenant id."""
        return self._by_tenant.get(tenant_id)

    def share_limit(self, limit: int, window_seconds: float) -> None:
        """Give all companies one budget of calls, as the policy ``6-fixed-window`` does."""
        calls = self._companies[0].calls
        calls.policy = "6-fixed-window"
        calls.set(limit, window_seconds)
        for company in self._companies:
            company.calls = calls


def _names(count: int) -> list[str]:
    more = (f"Demo {number} AB" for number in range(len(_NAMES) + 1, count + 1))
    return [*_NAMES[:count], *more]
