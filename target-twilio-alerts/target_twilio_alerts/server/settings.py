"""Settings of what is served beside Twilio's callbacks: SendGrid's events and Visma's webhooks."""

from __future__ import annotations

import base64
import binascii
import re
import shlex

from singer_sdk import typing as th

SERVER_SETTINGS = (
    th.Property(
        "sendgrid_webhook_key",
        th.StringType,
        title="SendGrid webhook key",
        description="Public key of SendGrid's signed Event Webhook, from its settings. With it "
        "`serve` hears what became of emails.",
    ),
    th.Property(
        "visma_webhook_secret",
        th.StringType,
        secret=True,
        title="Visma webhook secret",
        description="Secret that Visma signs its webhooks with, from the Visma Developer Portal. "
        "With it a webhook lets `serve` run `poll_command` at once.",
    ),
    th.Property(
        "visma_webhook_header",
        th.StringType,
        title="Visma webhook header",
        description="Header that has the signature of Visma's webhooks.",
        examples=["X-Visma-Signature"],
    ),
    th.Property(
        "poll_command",
        th.StringType,
        title="Poll command",
        description="What `serve` runs when Visma's webhook says that something has changed; one "
        "at a time, and without a shell.",
        examples=["meltano run tap-visma target-twilio-alerts"],
    ),
)


def checked_key(text: str | None) -> str | None:
    """The setting `sendgrid_webhook_key`, as base64 on one line.

    Raises:
        ValueError: It is none.
    """
    if text is None:
        return None
    bare = "".join(re.sub("-----(BEGIN|END) PUBLIC KEY-----", "", text).split())
    try:
        base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "sendgrid_webhook_key: no public key in base64; copy the verification key of the "
            "Event Webhook once more",
        ) from None
    return bare


def checked_header(text: str | None) -> str | None:
    """The setting `visma_webhook_header`.

    Raises:
        ValueError: It is no name of a header.
    """
    if text is not None and not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", text):
        raise ValueError("visma_webhook_header: no name of a header; write it without the colon")
    return text


def checked_command(text: str | None) -> tuple[str, ...]:
    """The setting `poll_command`, word by word.

    Raises:
        ValueError: A quotation in it does not end.
    """
    try:
        return tuple(shlex.split(text or ""))
    except ValueError:
        raise ValueError("poll_command: a quotation in it does not end; close it") from None
