"""Whether the vendors that the settings name are the sandbox's stand-ins, the vendor's test system, or real."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from api.settings import EXAMPLE_KEYS, Settings

TEST_GATEWAY = "apitest.authorize.net"
_GATEWAY_KEYS = ("authorizenet_login_id", "authorizenet_transaction_key")
_MAIL_KEYS = ("mandrill_api_key",)


def gateway_is_stand_in(settings: Settings) -> bool:
    """On this machine, and called with the example keys: a local tunnel to the real gateway takes real ones."""
    return is_local(host_of(settings.authorizenet_url)) and _has_example_keys(settings, _GATEWAY_KEYS)


def mail_is_stand_in(settings: Settings) -> bool:
    """The same of the mail provider."""
    return is_local(host_of(settings.mandrill_url)) and _has_example_keys(settings, _MAIL_KEYS)


def money_is_real(settings: Settings) -> bool:
    """The gateway is neither a stand-in nor the vendor's test system."""
    return not gateway_is_stand_in(settings) and host_of(settings.authorizenet_url) != TEST_GATEWAY


def host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".")


def is_local(host: str) -> bool:
    """This machine itself: localhost and the names below it (RFC 6761), loopback addresses, the unspecified one."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _has_example_keys(settings: Settings, names: tuple[str, ...]) -> bool:
    return all(getattr(settings, name).get_secret_value() == EXAMPLE_KEYS[name] for name in names)
