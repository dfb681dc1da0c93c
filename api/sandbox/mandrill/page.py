"""The outbox as a page for people: what would have been delivered, and which address tries which ending."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Final

from api.sandbox.mandrill.outbox import Message
from api.sandbox.mandrill.recipients import ENDINGS

MESSAGES_MAX: Final = 50  # on the page, the newest first
# The messages themselves are shown in frames without scripts; nothing is loaded from anywhere.
SECURITY_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'"

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1c2430; }
h1 { font-size: 1.4rem } h1 strong { background: #b45309; color: #fff; padding: .1em .5em; border-radius: .3em }
article { border: 1px solid #d5dae1; border-radius: .5rem; margin: 1rem 0; padding: 0 1rem 1rem }
iframe { border: 1px solid #d5dae1; height: 40rem; width: 100% } pre { overflow: auto; white-space: pre-wrap }
table { border-collapse: collapse } td { border-top: 1px solid #e4e7ec; padding: .2rem 1rem .2rem 0 }
"""


def outbox_page(messages: Sequence[Message]) -> str:
    newest = list(reversed(messages[-MESSAGES_MAX:]))
    shown = "".join(_message(message) for message in newest) or "<p>No message yet.</p>"
    endings = "".join(
        f"<tr><td><code>{escape(local)}@</code></td><td>{escape(ending.meaning)}</td></tr>"
        for local, ending in ENDINGS.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>SANDBOX mail</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1><strong>SANDBOX</strong> mail: nothing here was delivered</h1>"
        f"<p>{len(messages)} accepted, the newest {len(newest)} below. <a href='/_ledger'>Ledger</a></p>"
        f"<details><summary>Addresses that end otherwise</summary><table>{endings}</table></details>"
        f"{shown}</body></html>"
    )


def _message(message: Message) -> str:
    status = f"{message.status} ({message.reason})" if message.reason else message.status
    facts = {
        "To": message.email,
        "From": message.sender,
        "Status": status,
        "At": message.accepted_at.isoformat(timespec="seconds"),
        "Tags": ", ".join(message.tags),
        "Metadata": json.dumps(message.metadata),
    }
    rows = "".join(f"<tr><td>{name}</td><td>{escape(value)}</td></tr>" for name, value in facts.items())
    return f"<article><h2>{escape(message.subject)}</h2><table>{rows}</table>{_bodies(message)}</article>"


def _bodies(message: Message) -> str:
    if message.text is None and message.html is None:
        return "<p>The bodies of older messages are not kept.</p>"
    return (
        f"<details><summary>Text</summary><pre>{escape(message.text or '')}</pre></details>"
        f"<details><summary>HTML</summary><pre>{escape(message.html or '')}</pre></details>"
        f'<details open><summary>As shown</summary><iframe sandbox title="message" '
        f'srcdoc="{escape(message.html or "")}"></iframe></details>'
    )
