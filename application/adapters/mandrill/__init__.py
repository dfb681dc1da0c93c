"""The mail provider Mandrill (Mailchimp Transactional) behind the port `Mailer`.

Start in `mailer.py`: it calls the official client's methods. `transport.py` is our way to the wire under that client,
`answers.py` decides what an answer means. May import `application.ports`; only the composition root imports it.
"""

from application.adapters.mandrill.config import MandrillConfig
from application.adapters.mandrill.mailer import MandrillMailer

__all__ = ["MandrillConfig", "MandrillMailer"]
