"""Rules that could not decide anything in a run, and why: nobody should have to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_twilio_alerts.intake.reads import CompleteReads
    from target_twilio_alerts.rules import Rule


def absent_streams(rules: Iterable[Rule], begun: Collection[str]) -> Iterator[str]:
    """Tell of rules whose stream the tap did not bring; of none if it brought nothing at all."""
    for rule in rules if begun else ():
        if rule.entity.stream not in begun:
            yield (
                f"Rule {rule.name} had nothing to decide: the tap brought no stream "
                f"{rule.entity.stream}; select it, if no other tap brings it"
            )


def unknown_companies(rules: Iterable[Rule], reads: CompleteReads) -> Iterator[str]:
    """Tell of rules for companies of which nothing has been read, once something has."""
    for rule in rules:
        known = sorted(reads.companies(rule.entity.stream))
        for company in rule.companies if known else ():
            if company not in known:
                yield (
                    f"Rule {rule.name}: no company {company} has been read yet; "
                    f"{suggestion(company, known, 'there are')}"
                )
