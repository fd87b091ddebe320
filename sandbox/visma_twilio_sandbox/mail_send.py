"""The request of SendGrid's Mail Send, as strict as its contract, and what it makes of it.

Source: sendgrid-mail-v3.openapi.json, POST /v3/mail/send.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any, Union

import msgspec

MAX_RECIPIENTS = 1000
MAX_CUSTOM_ARGS = 10_000

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")
_PLACE = re.compile(r"(?: - at `\$(?P<path>[^`]*)`)?$")


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A JSON object that has these fields and no others."""


class Address(_Strict, frozen=True):
    """An address with or without a name."""

    email: str
    name: Union[str, None] = None  # noqa: UP007 - msgspec reads it at run time, on Python 3.10 too

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email


_Recipients = Annotated[list[Address], msgspec.Meta(max_length=MAX_RECIPIENTS)]


class Personalization(_Strict, frozen=True):
    """One envelope of the mail."""

    to: Annotated[list[Address], msgspec.Meta(min_length=1, max_length=MAX_RECIPIENTS)]
    from_: Union[Address, None] = msgspec.field(default=None, name="from")  # noqa: UP007
    cc: _Recipients = []
    bcc: _Recipients = []
    subject: Union[_Text, None] = None  # noqa: UP007
    headers: dict[str, str] = {}
    substitutions: Annotated[dict[str, str], msgspec.Meta(max_length=10_000)] = {}
    dynamic_template_data: dict[str, Any] = {}
    custom_args: Annotated[dict[str, str], msgspec.Meta(max_length=10_000)] = {}
    send_at: Union[int, None] = None  # noqa: UP007


class Content(_Strict, frozen=True):
    """One form of the text."""

    type: _Text
    value: _Text


class Attachment(_Strict, frozen=True):
    """A file, in base64."""

    content: _Text
    filename: str
    type: Union[_Text, None] = None  # noqa: UP007
    disposition: Annotated[str, msgspec.Meta(pattern="^(inline|attachment)$")] = "attachment"
    content_id: Union[str, None] = None  # noqa: UP007


class Unsubscribe(_Strict, frozen=True):
    """An unsubscribe group."""

    group_id: int
    groups_to_display: Annotated[list[int], msgspec.Meta(max_length=25)] = []


class Switch(_Strict, frozen=True):
    """A setting that is on or off."""

    enable: bool = False


class Footer(_Strict, frozen=True):
    """A footer."""

    enable: bool = False
    text: str = ""
    html: str = ""


class MailSettings(_Strict, frozen=True):
    """How SendGrid treats the mail."""

    bypass_list_management: Switch = Switch()
    bypass_spam_management: Switch = Switch()
    bypass_bounce_management: Switch = Switch()
    bypass_unsubscribe_management: Switch = Switch()
    footer: Footer = Footer()
    sandbox_mode: Switch = Switch()


class ClickTracking(_Strict, frozen=True):
    """Whether links are rewritten."""

    enable: bool = False
    enable_text: bool = False


class OpenTracking(_Strict, frozen=True):
    """Whether a picture tells who reads."""

    enable: bool = False
    substitution_tag: str = ""


class SubscriptionTracking(_Strict, frozen=True):
    """Whether an unsubscribe link is added."""

    enable: bool = False
    text: str = ""
    html: str = ""
    substitution_tag: str = ""


class Analytics(_Strict, frozen=True):
    """What Google Analytics is told."""

    enable: bool = False
    utm_source: str = ""
    utm_medium: str = ""
    utm_term: str = ""
    utm_content: str = ""
    utm_campaign: str = ""


class TrackingSettings(_Strict, frozen=True):
    """What is tracked."""

    click_tracking: ClickTracking = ClickTracking()
    open_tracking: OpenTracking = OpenTracking()
    subscription_tracking: SubscriptionTracking = SubscriptionTracking()
    ganalytics: Analytics = Analytics()


class Mail(_Strict, frozen=True):
    """The whole request."""

    personalizations: Annotated[
        list[Personalization], msgspec.Meta(min_length=1, max_length=MAX_RECIPIENTS)
    ]
    from_: Address = msgspec.field(name="from")
    reply_to: Union[Address, None] = None  # noqa: UP007
    reply_to_list: _Recipients = []
    subject: Union[_Text, None] = None  # noqa: UP007
    content: list[Content] = []
    attachments: list[Attachment] = []
    template_id: Union[str, None] = None  # noqa: UP007
    headers: dict[str, str] = {}
    categories: Annotated[
        list[Annotated[str, msgspec.Meta(max_length=255)]], msgspec.Meta(max_length=10)
    ] = []
    custom_args: Union[dict[str, str], str] = {}  # noqa: UP007 - the contract calls it a string
    send_at: Union[int, None] = None  # noqa: UP007
    batch_id: Union[str, None] = None  # noqa: UP007
    asm: Union[Unsubscribe, None] = None  # noqa: UP007
    ip_pool_name: Union[  # noqa: UP007
        Annotated[str, msgspec.Meta(min_length=2, max_length=64)], None
    ] = None
    mail_settings: MailSettings = MailSettings()
    tracking_settings: TrackingSettings = TrackingSettings()


class MailError(Exception):
    """A mail that is refused: why, and which field as in `personalizations.0.to`."""

    def __init__(self, message: str, field: str | None = None) -> None:
        self.message = message
        self.field = field
        super().__init__(message)


@dataclass(frozen=True)
class Email:
    """An email one person was sent.

    Attributes:
        time: When it was taken.
        text: The plain text; "" if it has none.
        html: The HTML; None if it has none.
        custom_args: The mail's and the envelope's together.
    """

    message_id: str
    time: datetime
    to: str
    from_: str
    subject: str
    text: str
    html: str | None
    custom_args: dict[str, str]


_decoder = msgspec.json.Decoder(Mail)


def read_mail(body: bytes) -> Mail:
    """Read and check a request.

    Raises:
        MailError: It is not JSON, has an unknown field, lacks one, or breaks a rule.
    """
    try:
        mail = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MailError("Bad Request") from None
    _check_addresses(mail)
    _check_content(mail)
    return mail


def emails_of(mail: Mail, message_id: str) -> list[Email]:
    """Tell who gets what; copies are emails of their own."""
    time = datetime.now(timezone.utc)
    texts = {part.type: part.value for part in mail.content}
    shared = mail.custom_args if isinstance(mail.custom_args, dict) else {}
    return [
        Email(
            message_id=message_id,
            time=time,
            to=address.email,
            from_=str(envelope.from_ or mail.from_),
            subject=envelope.subject or mail.subject or "",
            text=texts.get("text/plain", ""),
            html=texts.get("text/html"),
            custom_args={**shared, **envelope.custom_args},
        )
        for envelope in mail.personalizations
        for address in (*envelope.to, *envelope.cc, *envelope.bcc)
    ]


def _invalid(words: str) -> MailError:
    """Turn msgspec's `... - at `$.from.email`` into SendGrid's message and field."""
    path = (found["path"] or "") if (found := _PLACE.search(words)) else ""
    field = re.sub(r"\[(\d+)\]", r".\1", path.replace("[...]", "")).strip(".")
    return MailError(_PLACE.sub("", words), field or None)


def _check_addresses(mail: Mail) -> None:
    _check_address(mail.from_, "from.email")
    if mail.reply_to:
        _check_address(mail.reply_to, "reply_to.email")
    for number, envelope in enumerate(mail.personalizations):
        place = f"personalizations.{number}"
        if envelope.from_:
            _check_address(envelope.from_, f"{place}.from.email")
        seen: set[str] = set()
        for kind, addresses in (
            ("to", envelope.to),
            ("cc", envelope.cc),
            ("bcc", envelope.bcc),
        ):
            for index, address in enumerate(addresses):
                _check_address(address, f"{place}.{kind}.{index}.email")
                if address.email.lower() in seen:
                    raise MailError(
                        "Each email address in the personalization block should be unique "
                        "between to, cc, and bcc. We found the first duplicate instance of "
                        f"[{address.email}] in the {place}.{kind} field.",
                        place,
                    )
                seen.add(address.email.lower())


def _check_address(address: Address, field: str) -> None:
    if not _ADDRESS.fullmatch(address.email):
        raise MailError("Does not contain a valid address.", field)


def _check_content(mail: Mail) -> None:
    if not mail.content and not mail.template_id:
        raise MailError("Unless a valid template_id is provided, the content is required.")
    for number, envelope in enumerate(mail.personalizations):
        if not (envelope.subject or mail.subject or mail.template_id):
            raise MailError(
                "The subject is required. You can get around this requirement if you use a "
                "template with a subject defined or if every personalization has a subject "
                "defined.",
                "subject",
            )
        if len(json.dumps({"": mail.custom_args, **envelope.custom_args})) > MAX_CUSTOM_ARGS:
            raise MailError(
                "The custom_args are larger than 10000 bytes.",
                f"personalizations.{number}.custom_args",
            )
    kinds = [part.type for part in mail.content]
    ordered = [kind for kind in ("text/plain", "text/html") if kind in kinds]
    if kinds[: len(ordered)] != ordered or any(kinds.count(kind) > 1 for kind in ordered):
        raise MailError(
            "If present, text/plain and text/html may only be provided once, and text/plain "
            "must be first, followed by text/html, then any other content.",
            "content",
        )
