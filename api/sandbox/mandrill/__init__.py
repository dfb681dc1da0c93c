"""A local server that speaks Mandrill's wire protocol (Mailchimp Transactional API 1.3, JSON over POST).

It delivers nothing. The ending of a send is chosen by the recipient's address: the table in `recipients.py`. `app.py`
joins the routes: `sending.py` and `searching.py` are the vendor's, `control.py` and `page.py` are ours (ledger, faults,
outbox page).
May import the standard library and aiohttp; nothing but `demo`, `sandbox` and the tests imports it.
"""

from api.sandbox.mandrill.app import create_app
from api.sandbox.mandrill.config import MailConfig

__all__ = ["MailConfig", "create_app"]
