"""The page at `/`: says what this server is not, and lists the profiles."""

from __future__ import annotations

from html import escape

from api.sandbox.authorizenet.profiles import PROFILES

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>SANDBOX: Authorize.net</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
strong.warning {{ display: block; background: #b00020; color: #fff; padding: .5rem 1rem }}
td, th {{ text-align: left; padding: .2rem 1rem .2rem 0 }}</style></head><body>
<strong class="warning">SANDBOX: this is not Authorize.net. No money moves here.</strong>
<h1>Sandbox payment gateway</h1>
<p>The API is at <code>/xml/v1/request.api</code>. <a href="/_ledger">/_ledger</a> shows every transaction as JSON.</p>
<table><caption>Charge one of these payment profiles to try an ending</caption>
<thead><tr><th scope="col">Payment profile id</th><th scope="col">Outcome</th><th scope="col">Meaning</th></tr></thead>
<tbody>{rows}</tbody></table>
<p>Any other payment profile id is not found (E00040). The customer profile id may be any number.</p>
<p>POST <code>/_ledger/settle</code> settles what was captured, <code>/_ledger/reset</code> forgets everything,
<code>/_ledger/plant</code> plants a fault of settlement (<code>{{"fault": "chargeback", "transId": "..."}}</code>),
<code>/_held/{{transId}}/approve</code> or <code>/decline</code> ends a review, <code>/_faults</code> forces an outcome:
<code>{{"operation": "getTransactionDetailsRequest", "outcome": "http-500", "times": 2}}</code> or
<code>{{"delay_ms": 150}}</code>.</p></body></html>
"""


def page() -> str:
    rows = "".join(
        f"<tr><td><code>{profile_id}</code></td><td>{escape(outcome.slug)}</td><td>{escape(outcome.meaning)}</td></tr>"
        for profile_id, outcome in PROFILES.items()
    )
    return _PAGE.format(rows=rows)
