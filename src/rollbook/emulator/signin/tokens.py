"""Tokens for applications: client credentials by secret or certificate assertion, really checked, really signed.

What is issued here is what the Graph side accepts, and nothing else. Faults are AADSTS errors in Microsoft's form.
"""

from __future__ import annotations

import hmac
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..calls.table import GRANTED
from ..clock import Clock, iso
from ..tenant.tenant import Tenant
from ..wire import Answer, Record, Refusal

AUDIENCE = "https://graph.microsoft.com"
SCOPE = f"{AUDIENCE}/.default"
LIFETIME = 3_599
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class SignIn:
    """The sign-in of one tenant; its key is made when it starts, so old tokens end with the process."""

    def __init__(self, tenant: Tenant, clock: Clock) -> None:
        self._tenant = tenant
        self._clock = clock
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = f"emulated-{tenant.new_id()[:8]}"
        self._accepted: dict[str, tuple[float, frozenset[str]]] = {}
        self.certificates: list[bytes] = []

    def _known(self, named: str) -> bool:
        domains = [domain["id"] for domain in self._tenant.domains]
        return named.lower() in (self._tenant.id, "common", "organizations", *domains)

    def discovery(self, named: str, host: str) -> Answer:
        """The OpenID Connect document, with addresses of the host it was asked by."""
        if not self._known(named):
            return _fault(400, "invalid_tenant", 90002, f"Tenant '{named}' not found.", self._clock.now())
        root = f"{host}/{named}"
        return Answer(
            200,
            {
                "issuer": f"{host}/{self._tenant.id}/v2.0",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["code", "id_token", "code id_token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            },
        )

    def keys(self) -> Answer:
        """The public signing keys."""
        numbers = self._key.public_key()
        entry = jwt.algorithms.RSAAlgorithm.to_jwk(numbers, as_dict=True)
        return Answer(200, {"keys": [{**entry, "use": "sig", "kid": self._kid, "alg": "RS256"}]})

    def token(self, named: str, form: dict[str, str], host: str) -> Answer:
        """An access token for client credentials, or a fault."""
        now = self._clock.now()
        if not self._known(named):
            return _fault(400, "invalid_request", 90002, f"Tenant '{named}' not found.", now)
        if form.get("grant_type") != "client_credentials":
            message = f"The grant type '{form.get('grant_type', '')}' is not supported yet."
            return _fault(400, "unsupported_grant_type", 70003, message, now)
        if form.get("client_id") != self._tenant.client_id:
            message = f"Application with identifier '{form.get('client_id', '')}' was not found in the directory."
            return _fault(400, "unauthorized_client", 700016, message, now)
        if form.get("scope") != SCOPE:
            return _fault(
                400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.", now
            )
        refusal = self._refuse_client(form, host, named, now)
        return refusal or Answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": LIFETIME,
                "ext_expires_in": LIFETIME,
                "access_token": self._issue(now),
            },
        )

    def _refuse_client(self, form: dict[str, str], host: str, named: str, now: float) -> Answer | None:
        """None if the client proved who it is."""
        if form.get("client_assertion_type") == ASSERTION:
            return self._refuse_assertion(form.get("client_assertion", ""), f"{host}/{named}/oauth2/v2.0/token", now)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self._tenant.client_secret.encode()):
            return _fault(401, "invalid_client", 7000215, "Invalid client secret provided.", now)
        return None

    def _refuse_assertion(self, assertion: str, audience: str, now: float) -> Answer | None:
        for certificate in self.certificates:
            key = serialization.load_pem_public_key(certificate)
            try:
                jwt.decode(
                    assertion,
                    key,  # type: ignore[arg-type]
                    algorithms=["PS256", "RS256"],
                    audience=audience,
                    issuer=self._tenant.client_id,
                    options={"require": ["exp", "iss", "sub", "jti"]},
                )
            except jwt.PyJWTError:
                continue
            return None
        return _fault(401, "invalid_client", 700027, "Client assertion failed signature validation.", now)

    def _issue(self, now: float) -> str:
        claims = {
            "aud": AUDIENCE,
            "iss": f"https://sts.windows.net/{self._tenant.id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + LIFETIME,
            "appid": self._tenant.client_id,
            "tid": self._tenant.id,
            "oid": self._tenant.application_id,
            "sub": self._tenant.application_id,
            "idtyp": "app",
            "roles": list(GRANTED),
            "ver": "1.0",
            "uti": self._tenant.new_id(),
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})

    def accept(self, authorization: str | None) -> frozenset[str]:
        """The roles of the token in this header; 401 InvalidAuthenticationToken if it is none of ours, or over."""
        now = self._clock.now()
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _invalid_token("Access token is empty.")
        known = self._accepted.get(token)
        if known is None:
            known = self._check(token)
            self._accepted[token] = known
        if known[0] <= now:
            raise _invalid_token("Lifetime validation failed, the token is expired.")
        return known[1]

    def _check(self, token: str) -> tuple[float, frozenset[str]]:
        # Expiry is judged by the emulator's own clock, which may run faster than the wall.
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=["RS256"], audience=AUDIENCE, options=options)
        except jwt.PyJWTError as error:
            raise _invalid_token("Access token validation failure.") from error
        if claims.get("tid") != self._tenant.id:
            raise _invalid_token("Access token validation failure. Invalid tenant.")
        return float(claims["exp"]), frozenset(claims.get("roles", ()))


def _invalid_token(message: str) -> Refusal:
    return Refusal(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": "Bearer"})


def _fault(status: int, error: str, number: int, message: str, now: float) -> Answer:
    body: Record = {
        "error": error,
        "error_description": f"AADSTS{number}: {message}",
        "error_codes": [number],
        "timestamp": iso(now).replace("T", " "),
        "trace_id": "00000000-0000-0000-0000-000000000000",
        "correlation_id": "00000000-0000-0000-0000-000000000000",
    }
    return Answer(status, body)
