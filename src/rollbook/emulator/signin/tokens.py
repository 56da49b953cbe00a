"""The token endpoint: client credentials, codes and refresh tokens for tokens, really checked, really signed (section 1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from ..cloud import Cloud
from ..tenant.tenant import Tenant
from ..wire import Answer, Record
from .access import AUDIENCE
from .clients import Clients
from .faults import SignInFault, token_fault
from .keys import KeyRing

SCOPE = f"{AUDIENCE}/.default"
LIFETIME = 3_599
CODE_LIFETIME = 600
REFRESH_LIFETIME = 90 * 86_400
BASIC_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody agreed to when signing in: for whom, to which app, with what it was asked."""

    tenant: str
    user: str
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    challenge: str
    method: str
    host: str
    at: float


class Tokens:
    """Issues tokens."""

    def __init__(self, cloud: Cloud, keys: KeyRing, clients: Clients) -> None:
        self._cloud = cloud
        self._keys = keys
        self._clients = clients
        self.codes: dict[str, Grant] = {}
        self._spent: set[str] = set()
        self.refresh: dict[str, Grant] = {}
        self.blocked: set[str] = set()
        """Tenants whose conditional access refuses every sign-in."""

    def answer(self, named: str, form: Mapping[str, str], headers: Mapping[str, str], host: str) -> Answer:
        """Tokens, or the fault why there are none."""
        correlation = form.get("client-request-id", headers.get("client-request-id", ""))
        try:
            body = self._granted(named, form, headers, host)
        except SignInFault as fault:
            return token_fault(fault, self._cloud.clock.now(), correlation)
        return Answer(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _granted(self, named: str, form: Mapping[str, str], headers: Mapping[str, str], host: str) -> Record:
        kinds = {
            "client_credentials": self._client_credentials,
            "authorization_code": self._code,
            "refresh_token": self._refreshed,
        }
        if "grant_type" not in form:
            raise SignInFault("invalid_request", 900144, "The request body must contain the parameter: 'grant_type'.")
        kind = kinds.get(form["grant_type"])
        if kind is None:
            raise SignInFault(
                "unsupported_grant_type", 70003, f"The grant type '{form['grant_type']}' is not supported."
            )
        shared = named.lower() in ("common", "organizations")
        tenant = None if shared else self._cloud.named(named)
        if tenant is None and not shared:
            raise SignInFault(
                "invalid_request", 90002, f"Tenant '{named}' not found. Check that it is the right cloud."
            )
        if "origin" in headers and ("client_secret" in form or "client_assertion" in form):
            message = "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type."
            raise SignInFault("invalid_request", 9002326, message)
        app = self._clients.prove(form, headers, f"{host}/{named}/oauth2/v2.0/token")
        return kind(tenant, app, form)

    def _client_credentials(self, tenant: Tenant | None, app: Record, form: Mapping[str, str]) -> Record:
        if tenant is None:
            message = "No tenant-identifying information found; client credentials need a specific tenant."
            raise SignInFault("invalid_request", 50059, message)
        if form.get("scope") != SCOPE:
            message = f"The provided value for the input parameter 'scope' is not valid; one resource's /.default is: {SCOPE}."
            raise SignInFault("invalid_scope", 1002012, message)
        roles = self._cloud.roles(tenant, app["client_id"])
        if roles is None:
            message = (
                f"Application with identifier '{app['client_id']}' was not found in the directory '{tenant.name}'."
            )
            raise SignInFault("unauthorized_client", 700016, message)
        self.check_access(tenant)
        claims = self._claims(tenant, app, form)
        claims |= {"idtyp": "app", "oid": app["object_id"], "sub": app["object_id"]}
        # Entra issues tokens without any role too; a token is no proof of consent (section 1.2).
        if roles:
            claims["roles"] = roles
        lasts = self._lasts()
        return {
            "token_type": "Bearer",
            "expires_in": lasts,
            "ext_expires_in": lasts,
            "access_token": self._keys.sign(claims),
        }

    def _lasts(self) -> int:
        """What clients are told, in their own wall seconds."""
        return max(1, int(LIFETIME / self._cloud.clock.speed))

    def check_access(self, tenant: Tenant) -> None:
        """AADSTS53003 where conditional access refuses."""
        if tenant.id in self.blocked:
            raise SignInFault("invalid_grant", 53003, "Access has been blocked by Conditional Access policies.")

    def _claims(self, tenant: Tenant, app: Record, form: Mapping[str, str]) -> Record:
        now = self._cloud.clock.now()
        claims: Record = {
            "aud": AUDIENCE,
            "iss": f"https://sts.windows.net/{tenant.id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + LIFETIME,
            "appid": app["client_id"],
            "app_displayname": app["name"],
            "tid": tenant.id,
            "ver": "1.0",
            "uti": tenant.new_id(),
        }
        if _answers_challenge(form.get("claims")):
            claims["acrs"] = ["c1"]
        return claims

    def _code(self, _: Tenant | None, app: Record, form: Mapping[str, str]) -> Record:
        code = form.get("code", "")
        if code in self._spent:
            message = "OAuth2 Authorization code was already redeemed, please retry with a new valid code."
            raise SignInFault("invalid_grant", 54005, message)
        grant = self.codes.pop(code, None)
        if grant is None or grant.client_id != app["client_id"]:
            raise SignInFault("invalid_grant", 9002313, "Invalid request. The code is malformed or invalid.")
        self._spent.add(code)
        if self._cloud.clock.now() - grant.at > CODE_LIFETIME:
            raise SignInFault("invalid_grant", 70008, "The provided authorization code has expired.")
        if form.get("redirect_uri") != grant.redirect_uri:
            raise SignInFault(
                "invalid_grant", 50011, "The redirect URI does not match the one of the authorization request."
            )
        _check_verifier(grant, form.get("code_verifier"))
        return self._for_user(grant, app, form)

    def _refreshed(self, _: Tenant | None, app: Record, form: Mapping[str, str]) -> Record:
        grant = self.refresh.get(form.get("refresh_token", ""))
        if grant is None or grant.client_id != app["client_id"]:
            raise SignInFault("invalid_grant", 9002313, "Invalid request. The refresh token is malformed or invalid.")
        if self._cloud.clock.now() - grant.at > REFRESH_LIFETIME:
            raise SignInFault("invalid_grant", 700082, "The refresh token has expired due to inactivity.")
        return self._for_user(grant, app, form)

    def _for_user(self, grant: Grant, app: Record, form: Mapping[str, str]) -> Record:
        tenant = self._cloud.tenants[grant.tenant]
        user = tenant.users.get(grant.user)
        if user is None:
            raise SignInFault("invalid_grant", 50034, "The user account does not exist in the directory.")
        if not user["accountEnabled"]:
            raise SignInFault("invalid_grant", 50057, "The user account is disabled.")
        if user.get("_signed_out", 0.0) > grant.at:
            raise SignInFault("invalid_grant", 50173, "The provided grant has expired due to it being revoked.")
        self.check_access(tenant)
        scopes = grant.scope.split()
        lasts = self._lasts()
        body: Record = {"token_type": "Bearer", "scope": grant.scope, "expires_in": lasts, "ext_expires_in": lasts}
        claims = self._claims(tenant, app, form) | {"idtyp": "user", "oid": user["id"], "scp": grant.scope}
        body["access_token"] = self._keys.sign({**claims, "sub": pairwise(app, user)})
        if "offline_access" in scopes:
            token = f"emulated-{tenant.new_id()}{tenant.new_id()}"
            self.refresh[token] = grant
            body["refresh_token"] = token
        if "openid" in scopes:
            body["id_token"] = self._keys.sign(self._identity(grant, tenant, app, user))
        return body

    def _identity(self, grant: Grant, tenant: Tenant, app: Record, user: Record) -> Record:
        """The claims of an ID token (section 1.6). Clients judge its times by their wall clock, so it is stamped by ours."""
        now = int(self._cloud.clock.wall())
        claims: Record = {
            "aud": app["client_id"],
            "iss": f"{grant.host}/{tenant.id}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "tid": tenant.id,
            "sub": pairwise(app, user),
            "ver": "2.0",
        }
        if "profile" in grant.scope.split():
            claims |= {"oid": user["id"], "name": user["displayName"], "preferred_username": user["userPrincipalName"]}
        if "email" in grant.scope.split() and user.get("mail"):
            claims["email"] = user["mail"]
        if grant.nonce:
            claims["nonce"] = grant.nonce
        return claims


def pairwise(app: Record, user: Record) -> str:
    """The subject: stable for a person and an app, different for every app."""
    digest = hashlib.sha256(f"{app['client_id']}/{user['id']}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check_verifier(grant: Grant, verifier: str | None) -> None:
    if not grant.challenge:
        return
    if not verifier:
        raise SignInFault("invalid_grant", 501481, "The Code_Verifier is missing.")
    given = verifier
    if grant.method == "S256":
        digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
        given = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if not hmac.compare_digest(given, grant.challenge):
        raise SignInFault(
            "invalid_grant",
            501481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        )


def _answers_challenge(claims: str | None) -> bool:
    """Whether a token is asked for with the claims of a challenge."""
    try:
        asked = orjson.loads(claims or "null")
    except orjson.JSONDecodeError:
        return False
    return isinstance(asked, dict) and "acrs" in (asked.get("access_token") or {})
