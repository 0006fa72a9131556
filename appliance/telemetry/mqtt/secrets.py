"""In: settings of the broker. Out: user, password and TLS context, from files or systemd credentials."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from appliance.errors import SettingsError
from appliance.settings.telemetry import MqttSettings

# OpenSSL's verify codes (x509_vfy.h), as ssl.SSLCertVerificationError.verify_code gives them.
NOT_YET_VALID, EXPIRED, WRONG_HOST, WRONG_ADDRESS = 9, 10, 62, 64


def credential(name: str) -> Path | None:
    """The file of a systemd credential; None where it was not given.

    The unit loads a folder under the id `secrets`, whose files are then named `secrets_NAME` (systemd.exec(5)).
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    files = [Path(folder) / found for found in (name, f"secrets_{name}")] if folder else []
    return next((file for file in files if file.exists()), None)


def login(settings: MqttSettings, device: str) -> tuple[str | None, str | None]:
    """User and password; the device's id is the user where only a password was given. Raises SettingsError."""
    file = settings.password_file or credential("mqtt-password")
    if file is None:
        return settings.username, None
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("no-password", f"telemetry.mqtt.password_file: {file} cannot be read.") from error
    return settings.username or device, password


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """TLS 1.2 or newer, certificate and host name checked; None without TLS. Raises SettingsError naming the file."""
    if not settings.tls:
        return None
    ca_file = settings.ca_file or credential("mqtt-ca")
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError("bad-ca", f"telemetry.mqtt.ca_file: {ca_file} is no readable certificate.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 would refuse an authority without the extension "key usage", which a home's own (`openssl req -x509`)
    # has not; 3.11 takes it. Signatures, dates and names are checked by both.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    cert = settings.cert_file or credential("mqtt-cert")
    if cert is not None:
        key = settings.key_file or credential("mqtt-key")
        try:
            context.load_cert_chain(cert, key)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                "bad-certificate", f"telemetry.mqtt.cert_file: {cert} and its key cannot be used."
            ) from error
    return context


ALERTS = {
    "CERTIFICATE_EXPIRED": "The broker says that this device's certificate (telemetry.mqtt.cert_file) has expired.",
    "CERTIFICATE_REVOKED": "The broker says that this device's certificate (telemetry.mqtt.cert_file) was revoked.",
    "CERTIFICATE_REQUIRED": "The broker wants a certificate of this device: set telemetry.mqtt.cert_file and key_file.",
    "UNKNOWN_CA": "The broker does not know the authority that signed this device's certificate.",
    "BAD_CERTIFICATE": "The broker does not accept this device's certificate (telemetry.mqtt.cert_file).",
    "UNSUPPORTED_CERTIFICATE": "This device's certificate is not made for clients (extended key usage).",
}
"""TLS alerts (RFC 8446, 6.2) as OpenSSL names them, by which a broker refuses a client's certificate."""


def refusal(text: str) -> str | None:
    """The sentence for a TLS alert that is named in `text`; None where none is."""
    return next((sentence for alert, sentence in ALERTS.items() if alert in text.upper().replace(" ", "_")), None)


def why(error: BaseException) -> str:
    """What kept us from the broker, as one sentence that a person can act on."""
    if (known := refusal(str(error))) is not None and not isinstance(error, ssl.SSLCertVerificationError):
        return known
    if str(error) in ALERTS.values():
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error)
    if isinstance(error, ssl.SSLError):
        return f"The broker and this device agree on no TLS connection ({error.reason or 'closed'})."
    if isinstance(error, TimeoutError):
        return "The broker does not answer."
    if isinstance(error, ConnectionRefusedError):
        return "Nothing listens at the broker's address."
    if isinstance(error, OSError):
        return f"The broker cannot be reached ({error.strerror or error})."
    return f"The broker cannot be reached ({type(error).__name__})."


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    code = error.verify_code
    if code == NOT_YET_VALID:
        return "The broker's certificate is not valid yet by this device's clock, which may not be set yet."
    if code == EXPIRED:
        return "The broker's certificate has expired (or this device's clock is wrong)."
    if code in (WRONG_HOST, WRONG_ADDRESS):
        return "The broker's certificate is for another name than telemetry.mqtt.host."
    return f"The broker's certificate is not signed by the authority that is trusted ({error.verify_message})."
