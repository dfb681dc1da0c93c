"""Where nothing of a charge can have left, it is told as not sent."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import sys
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from application.ports import Approved, ChargeOutcome, NotSent
from tests.application.adapters.authorizenet.wire import (
    APPROVED,
    CHARGE,
    Script,
    charged,
    gateway_at,
    run,
    serving,
    serving_bytes,
)


def test_a_refused_connection_is_not_sent() -> None:
    with socket.socket() as taken:  # bound but not listening: nobody can answer here
        taken.bind(("127.0.0.1", 0))
        assert run(charged(f"http://127.0.0.1:{taken.getsockname()[1]}/")) == NotSent("connection-refused")


def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    assert run(charged("https://invalid.invalid/xml/v1/request.api", connect_timeout_s=8.0)) == NotSent("dns")


@pytest.mark.skipif(sys.platform != "linux", reason="leans on how Linux treats a full backlog")
def test_a_connection_that_does_not_come_about_is_not_sent() -> None:
    """The backlog of a socket that nobody accepts from is full: the kernel leaves further connections waiting."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        with socket.create_connection(address), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}/"
            assert run(charged(url, connect_timeout_s=0.2)) == NotSent("connect-timeout")
            assert run(charged(url, deadline_s=0.2)) == NotSent("connect-timeout")


def test_a_tls_handshake_that_hangs_is_not_sent() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> ChargeOutcome:
        async with serving_bytes(silent) as url:
            return await charged(url.replace("http:", "https:"), connect_timeout_s=0.2)

    assert run(scenario()) == NotSent("connect-timeout")


def test_waiting_too_long_for_a_free_connection_is_not_sent() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response(text=APPROVED)

    async def scenario() -> list[ChargeOutcome]:
        async with serving(slow) as url, gateway_at(url, max_connections=1, connect_timeout_s=0.2) as gateway:
            return list(await asyncio.gather(gateway.charge(CHARGE), gateway.charge(CHARGE)))

    first, second = run(scenario())
    assert isinstance(first, Approved)
    assert second == NotSent("pool-exhausted")


def test_a_gateway_that_was_closed_sends_nothing() -> None:
    async def scenario() -> ChargeOutcome:
        async with serving(Script(APPROVED)) as url, gateway_at(url) as gateway:
            await gateway.close()
            return await gateway.charge(CHARGE)

    assert run(scenario()) == NotSent("shut-down")


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1 that signs itself: a server's context, and the file to trust it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "key.pem"
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return context, file


async def charged_over_tls(context: ssl.SSLContext, script: Script) -> ChargeOutcome:
    async with serving(script, context) as url:
        return await charged(url)


def test_a_certificate_that_nobody_vouches_for_is_not_sent(tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path)
    script = Script(APPROVED)
    assert run(charged_over_tls(context, script)) == NotSent("tls")
    assert script.requests == []


def test_a_trusted_certificate_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, file = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert isinstance(run(charged_over_tls(context, Script(APPROVED))), Approved)


def test_a_server_that_speaks_no_tls_is_not_sent() -> None:
    async def scenario() -> ChargeOutcome:
        async with serving(Script(APPROVED)) as url:
            return await charged(url.replace("http:", "https:"))

    assert run(scenario()) == NotSent("tls")
