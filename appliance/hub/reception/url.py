"""In: `mqtt://user@host:port`. Out: where the broker is, and how to log in there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from appliance.errors import UsageError
from appliance.telemetry.mqtt.secrets import credential


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """The broker's address. The password is not shown."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def tls_context(self) -> ssl.SSLContext | None:
        """None without TLS. Raises UsageError for a certificate authority that cannot be read."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise UsageError("bad-ca", f"{self.ca_file} is no certificate authority: {error}.") from error


def broker_url(text: str, password_file: Path | None = None, ca_file: Path | None = None) -> BrokerUrl:
    """Reads `mqtt://` (1883) and `mqtts://` (8883). A password comes from the file, else from systemd's credential
    `mqtt-password`, else from the address. Raises UsageError with one sentence."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError("bad-url", f"--mqtt '{text}': {error}.") from error
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise UsageError("bad-url", f"--mqtt takes mqtt://HOST:PORT or mqtts://HOST:PORT, not '{text}'.")
    tls = parts.scheme == "mqtts"
    user = unquote(parts.username) if parts.username else None
    password_file = password_file or credential("mqtt-password")
    password = unquote(parts.password) if parts.password else None
    if password_file is not None:
        try:
            password = password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("no-password", f"{password_file} cannot be read: {error}.") from error
    if password is not None and user is None:
        user = "hub"
    return BrokerUrl(parts.hostname, port or (8883 if tls else 1883), tls, user, password, ca_file)
