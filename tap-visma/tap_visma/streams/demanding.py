"""Lists that the API gives only if some filter is specified, although none is required."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_visma.bookmarks import BEFORE_EVERYTHING
from tap_visma.stream import VismaStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_visma.company import Company


class DemandsFilter(VismaStream):
    """A list whose description says that "a filter needs to be specified".

    Where there is no bookmark yet, it asks for what was modified since the beginning of time.
    """

    @override
    def own_params(self, company: Company, context: Mapping[str, Any]) -> dict[str, str | int]:
        return {"lastModifiedDateTime": BEFORE_EVERYTHING, "lastModifiedDateTimeCondition": ">="}
