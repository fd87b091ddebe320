"""Alerts files, broken and right: what each must be told, and which an editor lets pass.

A broken one begins with a comment that holds what ``twilio-alerts check`` prints of it, each line
behind "# "; the file is called alerts.yml in it, and its folder is left out.
"""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import takewhile
from pathlib import Path

FOLDER = Path(__file__).parent / "rules" / "broken"
FILES = {path.stem: path for path in sorted(FOLDER.glob("*.yml"))}
EVERY_KEY = Path(__file__).parent / "rules" / "every-key" / "alerts.yml"
PACKAGE = Path(__file__).parents[1]
SCHEMA = Path(str(files("target_twilio_alerts.rules") / "alerts.schema.json"))


def right_files() -> dict[str, str]:
    """Texts of files in which nothing is wrong: ours, the README's, and one with every key."""
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    start, whole = re.findall(r"<<'END'\n(.*?)END\n|```yaml\n(timezone: .*?)```", readme, re.DOTALL)
    ours = PACKAGE.parent / "alerts" / "alerts.yml"
    return {
        "start": start[0],
        "whole": whole[1],
        "ours": ours.read_text(encoding="utf-8"),
        "every-key": EVERY_KEY.read_text(encoding="utf-8"),
    }


def text_of(name: str) -> str:
    """A file as an editor shows it, whatever its encoding."""
    return FILES[name].read_text(encoding="utf-8", errors="replace")


def expected(name: str) -> str:
    """What a file must be told."""
    comment = takewhile(lambda line: line.startswith("# "), text_of(name).split("\n"))
    return "\n".join(line.removeprefix("# ") for line in comment)


def expected_lines(name: str) -> set[int]:
    """Lines of its mistakes, from 1."""
    return {int(line) for line in re.findall(r"^alerts\.yml:(\d+): ", expected(name), re.MULTILINE)}


_CONDITIONS = """
    ampersands attribute bars bracket-never-closed brackets-too-deep breaks-off capital-and
    compares-with-null curly-quotes date-in-another-form date-that-is-none days-as-a-number
    days-of-a-field equals-today exclamation-mark field-as-a-function function-of-the-wrong-type
    function-unknown function-with-too-few-arguments function-without-brackets is-a-number
    list-empty list-in-round-brackets multiplication never-holds nothing-between number-in-quotes
    number-with-text only-a-field order-of-texts parts-of-what-has-none python rates-in-no-currency
    recent-count-with-a-number recent-function-misspelt recent-sum-of-a-text
    recent-sum-without-field recent-too-many-days recent-where-nothing-groups
    recent-without-brackets recent-without-days record-field-far-from-any record-without-field
    regular-expression single-equals-sign status-in-another-language text-with-number
    text-without-quotes thousands-as-k thousands-with-a-comma thousands-with-a-space
    today-without-timezone too-deep two-kinds-of-field typographic-minus unknown-field
    unknown-field-far-from-any unknown-field-of-previous unknown-field-of-the-record unknown-status
    wrong-on-its-third-line wrong-on-the-second-plain-line wrong-on-the-third-folded-line yes
"""
_NAMES_THAT_DO_NOT_EXIST = """
    again-on-record-field-unknown again-on-unknown-field away-deputy-unknown entity-in-the-plural
    entity-own-misspelt entity-unknown escalate-recipient-unknown group-member-a-group
    group-member-a-number group-member-unknown limits-recipient-unknown notify-a-number
    notify-an-email-address notify-unknown operators-recipient-unknown rotation-member-a-group
    rotation-member-unknown undecided-recipient-unknown whatsapp-variable-of-no-field
"""
_NAMES_THAT_ARE_TAKEN = """
    entity-of-visma entity-stream-of-visma entity-stream-twice
    field-called-like-a-word-of-conditions group-called-like-a-recipient
    rotation-called-like-a-group rotation-called-like-a-recipient
"""
_ADDRESSES_THAT_ARE_MISSING = """
    away-deputy-without-the-address escalate-without-the-address fallback-without-the-address
    group-rotation-without-the-address
    notify-without-the-address operators-without-the-address undecided-without-the-address
"""
_WHAT_THE_WORLD_HAS_NOT = """
    away-date-that-is-none digest-timezone-unknown locale-of-no-country recipient-timezone-unknown
    rotation-start-no-monday rotation-timezone-unknown sms-no-number-of-its-country
    sms-of-no-country sms-with-0-behind-the-country-code timezone-a-city timezone-a-path
    timezone-an-offset timezone-misspelt
"""
_WHAT_DOES_NOT_GO_TOGETHER = """
    again-on-with-previous away-dates-reversed away-deputies-in-a-circle
    away-deputies-of-each-other away-deputy-of-themselves away-overlaps away-without-timezone
    companies-of-what-has-no-company digest-by-voice digest-with-escalate digest-with-fallback
    digest-with-validity-period
    digest-without-timezone entity-final-without-status escalate-steps-not-in-order
    escalate-unless-delivered-of-email fallback-the-channel-itself field-decimals-of-a-text
    field-of-a-list-without-type max-age-of-what-has-no-date max-age-without-timezone
    max-segments-without-sms once-per-counterparty-where-there-is-none
    once-per-day-without-timezone quiet-hours-all-days quiet-hours-of-no-length
    quiet-hours-without-timezone rates-missing rotation-without-timezone
    whatsapp-content-sid-for-sms whatsapp-window-beside-content-sid whatsapp-without-content-sid
"""
_OTHER_FILES = """
    limits-prices-missing limits-prices-with-decimal-comma limits-prices-with-semicolons
    limits-prices-without-country rates-day-in-another-form rates-file-missing rates-not-utf-8
    rates-with-decimal-comma template-missing
"""
_YAML_THAT_IS_RIGHT_ELSEWHERE = "yaml-anchor-twice yaml-hash-in-condition yaml-merge-key"

ONLY_CHECK = frozenset(
    {
        *(f"condition-{name}" for name in _CONDITIONS.split()),
        *_NAMES_THAT_DO_NOT_EXIST.split(),
        *_NAMES_THAT_ARE_TAKEN.split(),
        *_ADDRESSES_THAT_ARE_MISSING.split(),
        *_WHAT_THE_WORLD_HAS_NOT.split(),
        *_WHAT_DOES_NOT_GO_TOGETHER.split(),
        *_OTHER_FILES.split(),
        *_YAML_THAT_IS_RIGHT_ELSEWHERE.split(),
    },
)
"""Files that no schema can refuse: only `check` knows what is wrong with them."""
