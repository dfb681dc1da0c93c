"""Sends and finds messages through the official client's API classes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any, Final

from mailchimp_transactional import MessagesApi, MetadataApi, UsersApi

from application.adapters.mandrill.answers import error_name, found_message, lookup_body, send_result
from application.adapters.mandrill.config import MandrillConfig
from application.adapters.mandrill.transport import Answered, PooledApiClient
from application.ports import Email, LookupFailed, MailResult

_SEARCH_LIMIT: Final = 1000  # rows, the most that Mandrill gives
_CLOCK_MARGIN: Final = timedelta(hours=1)  # between our clock and theirs, around midnight


class MandrillMailer:
    """The port Mailer over Mandrill. Belongs to the event loop of its first call; close it there.

    The API classes write the key into the dict they are given and share a default dict between calls, so every call
    here gets a dict of its own, which nobody sees afterwards. Raises ValueError for an unusable sender.
    """

    def __init__(self, config: MandrillConfig) -> None:
        self._from_name, self._from_email = parseaddr(config.email_from)
        if "@" not in self._from_email:
            raise ValueError("email_from needs an address")
        self._client = PooledApiClient(config)
        self._messages = MessagesApi(config.api_key, api_client=self._client)
        self._metadata = MetadataApi(config.api_key, api_client=self._client)
        self._users = UsersApi(config.api_key, api_client=self._client)

    async def send(self, email: Email) -> MailResult:
        """Send one message once (messages/send). Never raises for a vendor's failure."""
        return send_result(email, await self._messages.send({"message": self._message(email), "async": False}))

    async def find(self, email_id: str, *, since: datetime) -> MailResult | None:
        """The message that carries the email_id in its metadata, or None (messages/search). Raises LookupFailed.

        The account must index the metadata field (see `finds_by_email_id`). A message shows only some time after its
        send, of undocumented length; at most 20 searches a minute are allowed, then LookupFailed says `busy`.
        """
        first_day = (since.astimezone(UTC) - _CLOCK_MARGIN).date().isoformat()
        named = {"query": f'u_email_id:"{email_id}"', "date_from": first_day, "limit": _SEARCH_LIMIT}
        rows = await self._search(named)
        found = found_message(email_id, rows, since)
        if found is None and len(rows) >= _SEARCH_LIMIT:
            raise LookupFailed("incomplete")  # ours may be among the rows that were cut off
        if found is None:  # the account may not index the field: look through what was sent since
            found = found_message(email_id, await self._search({"date_from": first_day, "limit": _SEARCH_LIMIT}), since)
        return found

    async def _search(self, query: dict[str, Any]) -> list[Any]:
        rows = lookup_body(await self._messages.search(query))
        if not isinstance(rows, list):
            raise LookupFailed("nonsense")
        return rows

    async def check_key(self) -> bool:
        """Whether Mandrill accepts our key (users/ping). Raises LookupFailed."""
        answer = await self._users.ping({})
        if isinstance(answer, Answered) and error_name(answer.body) == "invalid-key":
            return False
        if lookup_body(answer) != "PONG!":
            raise LookupFailed("nonsense")
        return True

    async def finds_by_email_id(self) -> bool:
        """Whether the account indexes `email_id` (metadata/list): else `find` finds nothing. Raises LookupFailed."""
        fields = lookup_body(await self._metadata.list({}))
        if not isinstance(fields, list):
            raise LookupFailed("nonsense")
        named = [field for field in fields if isinstance(field, dict) and field.get("name") == "email_id"]
        return any(field.get("state") == "active" for field in named)

    async def close(self) -> None:
        await self._client.close()

    def _message(self, email: Email) -> dict[str, Any]:
        message: dict[str, Any] = {
            "from_email": self._from_email,
            "to": [{"email": email.to, "type": "to"}],
            "subject": email.subject,
            "text": email.text,
            "html": email.html,
            "metadata": {"order_id": email.order_id, "email_id": email.email_id},
            "tags": [email.tag],
            "track_opens": False,
            "track_clicks": False,
            "preserve_recipients": False,
        }
        return message | {"from_name": self._from_name} if self._from_name else message
