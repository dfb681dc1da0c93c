"""The settings of the product: read once from the environment, then frozen. Nothing else reads the environment."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from application.adapters.rate_limit import parse_rate_limit

PREFIX = "ORDERS_"
SEAL_KEY_BYTES = 32
SANDBOX_AUTHORIZENET_URL = "http://127.0.0.1:8901/xml/v1/request.api"
SANDBOX_MANDRILL_URL = "http://127.0.0.1:8902/api/1.3"

# Worth nothing: they open the local sandbox only, and production refuses them.
EXAMPLE_KEYS: Mapping[str, str] = {
    "authorizenet_login_id": "sandbox-login",
    "authorizenet_transaction_key": "sandbox-key-0001",
    "authorizenet_signature_key": "sandbox-signature-key",
    "mandrill_api_key": "sandbox-mandrill-key",
    "mandrill_webhook_key": "sandbox-webhook-key",
    "secret_key": "example-secret-key-of-the-orders-engine",
    "seal_key": "ZXhhbXBsZS1zZWFsLWtleS1vZi10aGUtb3JkZXJzISE=",  # base64 of 32 bytes that say so
}

_URL = r"^https?://[^\s/?#]+(/[^\s]*)?$"
_DATABASE_URL = r"^(sqlite://|postgresql://\S)"

Url = Annotated[str, Field(pattern=_URL, max_length=2000)]
DatabaseUrl = Annotated[str, Field(pattern=_DATABASE_URL, max_length=2000)]
Seconds = Annotated[int, Field(ge=1, le=2_592_000)]


class SettingsError(Exception):
    """Settings that cannot be used. Each line names a variable and what it takes, never what it held."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def beside_database(database_url: str, name: str) -> str:
    """Where a store of that name lies by default: a file beside an SQLite file, else the same database server."""
    path, question_mark, query = database_url.partition("?")
    if not path.startswith("sqlite:///") or ":memory:" in path:
        return database_url
    stem, dot, suffix = path.rpartition(".")
    named = f"{stem}-{name}{dot}{suffix}" if dot and "/" not in suffix else f"{path}-{name}"
    return named + question_mark + query


def require_seed(key: SecretStr) -> SecretStr:
    """Raises ValueError, which does not show the key."""
    try:
        seed = base64.b64decode(key.get_secret_value(), validate=True)
    except ValueError:
        seed = b""
    if len(seed) != SEAL_KEY_BYTES:
        made_by = f"openssl rand -base64 {SEAL_KEY_BYTES}"
        raise ValueError(f"must be base64 of {SEAL_KEY_BYTES} random bytes, as from: {made_by}")
    return key


def _example(name: str) -> SecretStr:
    return SecretStr(EXAMPLE_KEYS[name])


class Settings(BaseSettings):
    """Every setting, by the name of its variable without the prefix ORDERS_. The defaults run against the sandbox."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    environment: Literal["development", "production"] = "development"
    database_url: DatabaseUrl = Field(default="sqlite:///var/orders.db", repr=False)  # may hold a password
    key_store_url: DatabaseUrl = Field(
        default_factory=lambda known: beside_database(known["database_url"], "keys"), repr=False
    )

    authorizenet_url: Url = SANDBOX_AUTHORIZENET_URL
    authorizenet_login_id: SecretStr = _example("authorizenet_login_id")
    authorizenet_transaction_key: SecretStr = _example("authorizenet_transaction_key")
    authorizenet_signature_key: SecretStr = _example("authorizenet_signature_key")

    mandrill_url: Url = SANDBOX_MANDRILL_URL
    mandrill_api_key: SecretStr = _example("mandrill_api_key")
    mandrill_webhook_key: SecretStr = _example("mandrill_webhook_key")
    mandrill_webhook_url: Url = "http://127.0.0.1:8000/webhooks/mandrill"
    email_from: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] = "orders@example.com"

    secret_key: Annotated[SecretStr, Field(min_length=16)] = _example("secret_key")  # must not change

    gateway_deadline_s: Annotated[float, Field(ge=0.1, le=300)] = 25
    payment_expiry_s: Seconds = 900
    held_expiry_s: Seconds = 259_200
    duplicate_window_s: Seconds = 120
    recovery_interval_s: Annotated[float, Field(ge=0.05, le=3600)] = 5
    orphan_charges: Literal["take-back", "report"] = "take-back"

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    rate_limit: str = ""  # off, or as 50/60s; left out: off in development, 50/60s in production

    seal_key: SecretStr = _example("seal_key")  # an Ed25519 seed: base64 of 32 bytes; must not change
    seals_path: Annotated[str, Field(max_length=2000)] = ""  # left out: beside an SQLite file, else var/seals

    @field_validator("seal_key")
    @classmethod
    def _a_seed(cls, key: SecretStr) -> SecretStr:
        return require_seed(key)

    @field_validator("rate_limit")
    @classmethod
    def _off_or_a_rate(cls, text: str) -> str:
        if text:
            parse_rate_limit(text)
        return text

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def views_url(self) -> str:
        """Where the read models lie. They can be rebuilt, so an SQLite file of their own keeps them off the log's."""
        return beside_database(self.database_url, "views")

    @property
    def seals_url(self) -> str:
        """Where the seals lie: an SQLite file of their own, or the same PostgreSQL database."""
        return beside_database(self.database_url, "seals")

    @property
    def seals_folder(self) -> Path:
        """Where the checkpoints are kept outside the database."""
        if self.seals_path:
            return Path(self.seals_path)
        if self.database_url.startswith("sqlite:///"):
            return Path(self.database_url.removeprefix("sqlite:///").partition("?")[0]).parent / "seals"
        return Path("var/seals")

    @property
    def rate_limit_in_force(self) -> str:
        """`off`, or requests per seconds as 50/60s."""
        return self.rate_limit or ("50/60s" if self.in_production else "off")


def known_variables() -> list[str]:
    """The names of all settings as variables."""
    return [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]


def unknown_variables() -> list[str]:
    """Variables that look like settings and are none. Those of the tests are left out."""
    known = {*known_variables(), f"{PREFIX}RECORDED_ANSWERS"}
    ours = {name for name in os.environ if name.upper().startswith(PREFIX)}
    return sorted(name for name in ours if name.upper() not in known and not name.startswith(f"{PREFIX}TEST_"))


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError, which names every variable that is wrong."""
    try:
        return Settings()
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_input=False, include_context=False)
    wrong = [error for error in errors if error["type"] != "default_factory_not_called"]  # follows from another one
    raise SettingsError([f"{PREFIX}{str(error['loc'][0]).upper()}: {error['msg']}" for error in wrong])
