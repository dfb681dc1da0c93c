"""What must not be so in production, as far as the settings show it."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from api.settings import EXAMPLE_KEYS, PREFIX, Settings
from api.stand_ins import TEST_GATEWAY, host_of, is_local

_EXAMPLE_DOMAINS = frozenset({"example.com", "example.net", "example.org"})  # RFC 2606
_MIN_SECRET_CHARS = 32
_URLS = ("authorizenet_url", "mandrill_url", "mandrill_webhook_url")
_DATABASES = ("database_url", "key_store_url")
# Settings under which a committed row can be lost when the machine stops.
_UNSAFE_OPTIONS = re.compile(r"(synchronous|synchronous_commit|fsync|journal_mode)\s*=\s*(off|0|false|no|memory)", re.I)


def production_problems(settings: Settings) -> list[str]:
    """What keeps these settings from being used in production: the variable, and what to change. Never its value."""
    return [
        *_url_problems(settings),
        *_key_problems(settings),
        *_database_problems(settings),
        *_email_problems(settings),
    ]


def _url_problems(settings: Settings) -> list[str]:
    problems = []
    for name in _URLS:
        url = urlsplit(getattr(settings, name))
        host = host_of(getattr(settings, name))
        if host == TEST_GATEWAY or is_local(host):
            problems.append(_problem(name, "points to a sandbox or to this machine; set the vendor's production URL"))
        elif url.scheme != "https":
            problems.append(_problem(name, "is not encrypted; set an https URL"))
    return problems


def _key_problems(settings: Settings) -> list[str]:
    problems = []
    for name, example in EXAMPLE_KEYS.items():
        key = getattr(settings, name).get_secret_value()
        if not key.strip():
            problems.append(_problem(name, "is empty; set the real key"))
        elif key == example or key.startswith(("example", "sandbox")):
            problems.append(_problem(name, "is an example; set the real key"))
    secret = settings.secret_key.get_secret_value()
    if len(secret) < _MIN_SECRET_CHARS:
        problems.append(_problem("secret_key", f"is too short; set at least {_MIN_SECRET_CHARS} random characters"))
    return problems


def _database_problems(settings: Settings) -> list[str]:
    problems = []
    for name in _DATABASES:
        address, _, query = getattr(settings, name).partition("?")
        options = parse_qsl(query)
        if address in {"sqlite://", "sqlite:///"} or ":memory:" in address or ("mode", "memory") in options:
            problems.append(_problem(name, "is a database in memory; set one that outlives the process"))
        if any(_UNSAFE_OPTIONS.search(f"{key}={value}") for key, value in options):
            problems.append(_problem(name, "turns durable commits off; remove that option"))
    return problems


def _email_problems(settings: Settings) -> list[str]:
    domain = settings.email_from.rpartition("@")[2].lower()
    if domain in _EXAMPLE_DOMAINS or domain == "localhost":
        return [_problem("email_from", "is an example; set the address that confirmations come from")]
    return []


def _problem(name: str, text: str) -> str:
    return f"{PREFIX}{name.upper()} {text}"
