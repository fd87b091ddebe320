"""Write docs/error-codes.md: what providers' error codes mean, and what to do about each.

`--check` writes nothing, and fails if the page is not current.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.channels import EXPLANATIONS, Explanation, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "error-codes.md"

BEGINNING = """\
# Error codes

What `twilio-alerts audit`, the listing of `twilio-alerts resend` and the summary of failures say of
a code. This page is generated from
`target-twilio-alerts/target_twilio_alerts/delivery/channels/codes.py`. A code that is not here is
told in the provider's own words. Numbers are Twilio's; a call that found nobody has no number but
the way it ended, and SendGrid names the field of the email that it refused.
"""

_WHOSE = {
    Fault.RECIPIENT: "The recipient's: their number, address or telephone",
    Fault.SENDER: "The sender's: what we send from",
    Fault.ACCOUNT: "The account's at the provider",
    Fault.CONTENT: "The content's: the text or the template",
    Fault.CARRIER: "The carrier's or the provider's",
    Fault.US: "Ours: settings and rules",
}


def main(arguments: Sequence[str]) -> None:
    """Write the page, or check it."""
    text = "\n".join([BEGINNING, *_tables()])
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.name} is not current; run `make generate`")


def _tables() -> Iterator[str]:
    for fault, title in _WHOSE.items():
        yield f"## {title}"
        yield ""
        yield "| Code | What it means | What to do |"
        yield "| --- | --- | --- |"
        by_meaning: dict[Explanation, list[str]] = {}
        for code, known in EXPLANATIONS.items():
            if known.fault is fault:
                by_meaning.setdefault(known, []).append(f"`{code}`")
        for known, codes in by_meaning.items():
            yield f"| {', '.join(codes)} | {known.meaning} | {known.mend} |"
        yield ""


if __name__ == "__main__":
    main(sys.argv[1:])
