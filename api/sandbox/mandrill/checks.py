"""What Mandrill refuses before it sends anything: the documented limits of messages/send."""

from __future__ import annotations

import json
from typing import Any, Final

from api.sandbox.mandrill.errors import invalid

METADATA_MAX_BYTES: Final = 250  # of its JSON
TAG_MAX_CHARACTERS: Final = 50
RECIPIENTS_MAX: Final = 1_000


def checked_message(body: dict[str, Any]) -> dict[str, Any]:
    """The `message` of a send. Raises MandrillError (ValidationError)."""
    message = body.get("message")
    if not isinstance(message, dict):
        raise invalid("message must be a struct")
    for name in ("subject", "text", "html", "from_email", "from_name"):
        if not isinstance(message.get(name, ""), str | None):
            raise invalid(f"message.{name} must be a string")
    if "@" not in (message.get("from_email") or ""):
        raise invalid("message.from_email must be an address")
    _check_recipients(message.get("to"))
    _check_tags(message.get("tags") or [])
    _check_metadata(message.get("metadata") or {})
    return message


def _check_recipients(to: Any) -> None:
    if not isinstance(to, list) or not 0 < len(to) <= RECIPIENTS_MAX:
        raise invalid("message.to must be an array of recipients")
    for recipient in to:
        if not isinstance(recipient, dict) or not isinstance(recipient.get("email"), str):
            raise invalid("message.to[].email must be a string")
        if recipient.get("type", "to") not in {"to", "cc", "bcc"}:
            raise invalid("message.to[].type must be one of to, cc, bcc")


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise invalid("message.tags must be an array of strings")
    if any(len(tag) > TAG_MAX_CHARACTERS for tag in tags):
        raise invalid(f"message.tags may have at most {TAG_MAX_CHARACTERS} characters each")
    if any(tag.startswith("_") for tag in tags):
        raise invalid("message.tags may not start with an underscore")


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict):
        raise invalid("message.metadata must be a struct")
    if any(isinstance(value, dict | list) for value in metadata.values()):
        raise invalid("message.metadata must be flat")
    if len(json.dumps(metadata, separators=(",", ":")).encode()) > METADATA_MAX_BYTES:
        raise invalid(f"message.metadata may have at most {METADATA_MAX_BYTES} bytes")
