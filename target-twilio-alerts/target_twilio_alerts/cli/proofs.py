"""An alert's story as text, for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Story = dict[str, Any]

_NOT_SEALED = " (not sealed: no event tells it)"
_NOTES = ("because", "reason", "resend_of", "resend_reason", "operator", "error_code")


def story_lines(story: Story) -> Iterator[str]:
    """The story, a line at a time."""
    yield f"alert {story['alert']}: {story['title']}, raised {story['raised_at']}"
    yield from _record(story["record"])
    yield from _rule(story["rule"])
    yield from _decision(story["decision"])
    yield "messages"
    for message in story["messages"]:
        yield from _message(message)
    yield "events"
    for event in story["events"]:
        named = f" {event['message']}" if event["message"] else ""
        yield f"  #{event['event']}  {event['at']}  {event['kind']}{named}"
        yield f"      {_json(event['body'])}"
        yield f"      after {event['previous_hash']}"
        yield f"      hash  {event['hash']}" + ("" if event["agrees"] else "  DOES NOT AGREE")
    yield "runs, each with the anchor that its log has"
    for run in story["runs"]:
        anchor = run["anchor"]
        told = "no anchor" if anchor is None else f"event {anchor['event']}, {anchor['hash']}"
        yield f"  {run['run']} {run['command']}, {run['outcome']}: {told}"
    numbers = ", ".join(str(event["event"]) for event in story["events"])
    head = story["head"]
    yield f"chain: events {numbers} of {head['event']}; the last one is {head['hash']}"
    for fault in story["faults"]:
        yield f"WRONG  {fault}"
    if not story["faults"]:
        yield "ok     each hash agrees; `audit verify` looks at the events in between"


def _record(record: Story) -> Iterator[str]:
    named = f"{record['stream']} {_json(record['key'])}" if "key" in record else "is gone"
    mark = _NOT_SEALED if "key" in record["not_sealed"] else ""
    yield f"record {record['document']}: {named}{mark}"
    if "version" in record:
        stamp = f", stamp {record['stamp']}" if "stamp" in record else ""
        yield f"  version {record['version']}{stamp}"
        yield f"  content {record['content']}"
    if "seen_at" in record:
        yield f"  seen {record['seen_at']} by run {record['seen_in_run']}{_NOT_SEALED}"


def _rule(rule: Story) -> Iterator[str]:
    yield f"rule {rule['name']}, epoch {rule['epoch']}"
    if "when" in rule:
        yield f"  {rule['when']}"
        yield f"  fingerprint {rule['fingerprint']}, the SHA-256 of (#{rule['event']})"
        yield f"  {rule['decided_by']}"


def _decision(decision: Story) -> Iterator[str]:
    yield "decision"
    if "erased_at" in decision:
        yield f"  erased {decision['erased_at']}"
        return
    yield f"  {decision['reason']}"
    yield f"  now: {plain(decision['values'])}"
    yield f"  before: {plain(decision['previous'] or {}) or 'never seen'}"
    if decision["today"]:
        yield f"  today: {decision['today']}"
    for rate in decision["rates"]:
        yield f"  rate: {told_rate(rate)}"
    for call, numbers in decision["others"].items():
        yield f"  with: {', '.join(numbers) or 'no other document'} ({call})"
    yield f"  salt {decision['salt']}"


def _message(message: Story) -> Iterator[str]:
    address = message.get("address") or "erased"
    yield (
        f"  {message['id']}  {message['recipient']} by {message['channel']} ({address}): "
        f"{message['state']}"
    )
    for name in _NOTES:
        if message[name]:
            yield f"      {name}: {message[name]}"
    for claim in message["claims"]:
        yield (
            f"      claimed by run {claim['run']} ({claim['command']} on {claim['host']}, process "
            f"{claim['pid']}), try {claim['try']}: #{claim['event']}"
        )
    if message["sid"]:
        yield f"      sid {message['sid']}, request {message['request_id']}, {message['status']}"
    if "erased_at" in message:
        yield f"      erased {message['erased_at']}"
        return
    yield f"      text: {message['text']}"
    yield f"      salt {message['salt']}"


def told_rate(rate: Mapping[str, Any]) -> str:
    """A rate that decided, in words."""
    return f"1 {rate['base']} = {rate['rate']} {rate['quote']} of {rate['day']} ({rate['source']})"


def plain(values: Mapping[str, Any]) -> str:
    """The values of a version, as ``amount 62000, status Open``."""
    told = []
    for name, value in values.items():
        if isinstance(value, bool):
            told.append(f"{name} {'yes' if value else 'no'}")
        elif isinstance(value, list):
            told.append(f"{name} {' + '.join(map(str, value)) or 'empty'}")
        else:
            told.append(f"{name} {value}")
    return ", ".join(told)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
