"""The payment gateway: Authorize.net's XML API, behind the port `application.ports.PaymentGateway`.

Start at `gateway.py`. A call runs through `requests.py` (the SDK's contracts write the bytes; `charge_template.py` is
the fast way for charges), `transport.py` (one HTTP request, sent at most once), `answers.py` (safe reading of XML) and
then `interpretation.py` with `codes.py` (what an answer means for the money) or `lookups.py` with `search.py`
(what the gateway says about transactions). Nothing outside this folder may import the SDK.
"""

from application.adapters.authorizenet.config import AuthorizeNetConfig
from application.adapters.authorizenet.gateway import AuthorizeNetGateway

__all__ = ["AuthorizeNetConfig", "AuthorizeNetGateway"]
