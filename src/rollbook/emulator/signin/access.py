"""Who calls Graph: the bearer token taken apart, once for each token, and judged by the emulator's own clock."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from ..cloud import Cloud
from ..tenant.tenant import Tenant
from ..wire import Record, Refusal
from .keys import KeyRing

AUDIENCE = "https://graph.microsoft.com"
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """An application in a tenant, with the roles of its token."""

    tenant: Tenant
    app: Record
    roles: frozenset[str]
    expires: float
    answered: bool
    """Whether the token was asked for with the claims of a challenge."""


class Access:
    """Judges bearer tokens."""

    def __init__(self, cloud: Cloud, keys: KeyRing) -> None:
        self._cloud = cloud
        self._keys = keys
        self._known: dict[str, Caller] = {}
        self.challenged: set[str] = set()
        """Tenants whose conditional access asks for a further claim."""

    def forget(self) -> None:
        """Look at every token anew."""
        self._known.clear()

    def accept(self, authorization: str | None) -> Caller:
        """Who calls; 401 InvalidAuthenticationToken if the token is none of ours, or over."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _invalid("Access token is empty.")
        caller = self._known.get(token)
        if caller is None:
            if len(self._known) > REMEMBERED:
                self._known.clear()
            caller = self._known[token] = self._check(token)
        if caller.expires <= self._cloud.clock.now():
            raise _invalid("Lifetime validation failed, the token is expired.")
        if caller.tenant.id in self.challenged and not caller.answered:
            raise _challenge(caller.tenant)
        return caller

    def _check(self, token: str) -> Caller:
        # Expiry is judged by the emulator's own clock, which may run faster than the wall.
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            claims = self._keys.verify(token, audience=AUDIENCE, options=options)
        except jwt.PyJWTError as error:
            raise _invalid("Access token validation failure.") from error
        tenant, app = self._cloud.tenants.get(claims.get("tid", "")), self._cloud.apps.get(claims.get("appid", ""))
        if tenant is None or app is None:
            raise _invalid("Access token validation failure. Invalid tenant.")
        answered = "c1" in claims.get("acrs", ())
        return Caller(tenant, app, frozenset(claims.get("roles", ())), float(claims["exp"]), answered)


def _invalid(message: str) -> Refusal:
    return Refusal(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": 'Bearer realm=""'})


def _challenge(tenant: Tenant) -> Refusal:
    """401 with the claims that a new token has to be asked for."""
    wanted = {"access_token": {"acrs": {"essential": True, "value": "c1"}}}
    claims = base64.b64encode(orjson.dumps(wanted)).decode()
    header = (
        f'Bearer realm="", authorization_uri="/{tenant.id}/oauth2/v2.0/authorize", error="insufficient_claims", '
        f'claims="{claims}"'
    )
    message = "Continuous access evaluation resulted in challenge."
    return Refusal(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": header})
