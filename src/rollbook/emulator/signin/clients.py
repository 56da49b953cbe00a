"""How an application proves who it is: a secret, in the form or as HTTP Basic, or an assertion signed with its certificate."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..cloud import Cloud
from ..wire import Record
from .faults import SignInFault

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Clients:
    """Knows the app registrations of a cloud, and which assertions were used already."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._used: dict[str, float] = {}

    def find(self, client_id: str) -> Record:
        """The app; AADSTS700016 if there is none."""
        app = self._cloud.apps.get(client_id)
        if app is None:
            message = f"Application with identifier '{client_id}' was not found in the directory."
            raise SignInFault("unauthorized_client", 700016, message)
        return app

    def prove(self, form: Mapping[str, str], headers: Mapping[str, str], audience: str) -> Record:
        """The app that asks, proven; a fault otherwise. `audience` is the token endpoint's address."""
        given = dict(form)
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            client, _, secret = base64.b64decode(encoded + "==").decode("utf-8", "replace").partition(":")
            given |= {"client_id": unquote(client), "client_secret": unquote(secret)}
        app = self.find(given.get("client_id", ""))
        if given.get("client_assertion_type") == ASSERTION:
            self._check_assertion(app, given.get("client_assertion", ""), audience)
        elif "client_secret" in given:
            self._check_secret(app, given["client_secret"])
        else:
            message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise SignInFault("invalid_client", 7000218, message, 401)
        return app

    def _check_secret(self, app: Record, secret: str) -> None:
        for known in app["secrets"]:
            if hmac.compare_digest(secret.encode(), known["value"].encode()):
                if known["expires"] is not None and known["expires"] <= self._cloud.clock.now():
                    message = f"The provided client secret keys for app '{app['client_id']}' are expired."
                    raise SignInFault("invalid_client", 7000222, message, 401)
                return
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value."
        )
        raise SignInFault("invalid_client", 7000215, message, 401)

    def _check_assertion(self, app: Record, assertion: str, audience: str) -> None:
        """Signed with a certificate of the app, for us, in time and, where that is asked, never used before (section 1.3)."""
        certificate = _certificate(app, assertion)
        options = {"require": ["exp", "iss", "sub", "jti", "aud"], "verify_aud": False}
        try:
            claims = jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["PS256", "RS256"],
                issuer=app["client_id"],
                options=options,  # type: ignore[arg-type]
            )
        except jwt.ExpiredSignatureError:
            raise SignInFault(
                "invalid_client", 700024, "Client assertion is not within its valid time range.", 401
            ) from None
        except jwt.PyJWTError:
            raise SignInFault("invalid_client", 700027, "Client assertion failed signature validation.", 401) from None
        if claims["sub"] != app["client_id"]:
            raise SignInFault("invalid_client", 700030, "Invalid certificate: the subject is not the client.", 401)
        if claims["aud"] != audience:
            message = f"Client assertion audience claim does not match Realm issuer. Expected '{audience}'."
            raise SignInFault("invalid_client", 700023, message, 401)
        if not self._cloud.config.single_use_assertions:
            return
        now = self._cloud.clock.now()
        self._used = {jti: until for jti, until in self._used.items() if until > now - 600}
        if claims["jti"] in self._used:
            raise SignInFault("invalid_client", 50027, "JWT token is invalid: its jti was used before.", 401)
        self._used[claims["jti"]] = now


def _certificate(app: Record, assertion: str) -> x509.Certificate:
    """The certificate the assertion's header names by its thumbprint."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.PyJWTError:
        raise SignInFault("invalid_client", 50027, "JWT token is invalid or malformed.", 401) from None
    for pem in app["certificates"]:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        der = certificate.public_bytes(Encoding.DER)
        thumbprints = {
            "x5t#S256": _encoded(hashlib.sha256(der).digest()),
            "x5t": _encoded(hashlib.sha1(der, usedforsecurity=False).digest()),
        }
        # Some clients, msal among them, keep the padding.
        if any(str(header.get(name, "")).rstrip("=") == value for name, value in thumbprints.items()):
            return certificate
    message = "Client assertion failed signature validation: the certificate with this thumbprint is not registered."
    raise SignInFault("invalid_client", 700027, message, 401)


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
