"""The sign-in's addresses: discovery, keys, tokens, pages, consent, logout, userinfo (graph.md section 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

import jwt

from ..cloud import Cloud
from ..wire import Answer
from .access import AUDIENCE, Access
from .clients import Clients
from .faults import SignInFault, token_fault
from .flows import COOKIE, Flows
from .keys import KeyRing
from .tokens import Tokens


class SignIn:
    """Answers what is asked of the login host."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.begin()

    def begin(self) -> None:
        """New keys, no sessions, no codes: as after a start."""
        self.keys = KeyRing(self._cloud.config.seed)
        self.clients = Clients(self._cloud)
        self.tokens = Tokens(self._cloud, self.keys, self.clients)
        self.flows = Flows(self._cloud, self.clients, self.tokens)
        self.access = Access(self._cloud, self.keys)

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, host: str
    ) -> Answer | None:
        """The answer to one request; None if the address is none of the sign-in's."""
        named, _, rest = path.lstrip("/").partition("/")
        asked = _single(query)
        cookie = _cookie(headers)
        if path == "/oidc/userinfo":
            return self._userinfo(headers)
        if path == "/_signin" and method == "POST":
            try:
                return self.flows.step(_single(body.decode("utf-8", "replace")))
            except SignInFault as fault:
                return token_fault(fault, self._cloud.clock.now())
        if method == "GET" and rest == "v2.0/.well-known/openid-configuration":
            return self._discovery(named, host)
        if method == "GET" and rest in ("discovery/v2.0/keys", "discovery/keys"):
            return self.keys.published()
        if method == "POST" and rest == "oauth2/v2.0/token":
            return self.tokens.answer(named, _single(body.decode("utf-8", "replace")), headers, host)
        if rest == "oauth2/v2.0/authorize":
            given = asked if method == "GET" else _single(body.decode("utf-8", "replace"))
            return self.flows.authorize(named, given, host, cookie)
        if method == "GET" and rest in ("v2.0/adminconsent", "adminconsent"):
            form = "v2" if rest.startswith("v2.0") else "older"
            return self.flows.admin_consent(named, asked, host, cookie, form)
        if rest == "oauth2/v2.0/logout":
            return self.flows.logout(asked if method == "GET" else _single(body.decode("utf-8", "replace")), cookie)
        return None

    def _discovery(self, named: str, host: str) -> Answer:
        """The OpenID Connect document, with addresses of the host it was asked by."""
        tenant = self._cloud.named(named)
        shared = named.lower() in ("common", "organizations")
        if tenant is None and not shared:
            fault = SignInFault("invalid_tenant", 90002, f"Tenant '{named}' not found.")
            return token_fault(fault, self._cloud.clock.now())
        root = f"{host}/{named}"
        document = {
            "issuer": f"{host}/{tenant.id if tenant is not None else '{tenantid}'}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "userinfo_endpoint": f"{host}/oidc/userinfo",
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256", "plain"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "oid",
                "ver",
                "email",
            ],
            "http_logout_supported": True,
            "tenant_region_scope": "EU" if tenant is not None else None,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }
        return Answer(200, document)

    def _userinfo(self, headers: Mapping[str, str]) -> Answer:
        """Who the bearer of a delegated token is."""
        token = headers.get("authorization", "").partition(" ")[2]
        try:
            claims = self.keys.verify(
                token, audience=AUDIENCE, options={"verify_exp": False, "verify_nbf": False, "verify_iat": False}
            )
        except jwt.PyJWTError:
            return Answer(
                401, {"error": {"code": "InvalidAuthenticationToken", "message": "Access token validation failure."}}
            )
        tenant = self._cloud.tenants.get(claims["tid"])
        user = tenant.users.get(claims["oid"]) if tenant is not None else None
        if user is None or claims["exp"] <= self._cloud.clock.now():
            return Answer(401, {"error": {"code": "InvalidAuthenticationToken", "message": "The token is over."}})
        return Answer(200, {"sub": claims["sub"], "name": user["displayName"], "email": user.get("mail")})


def _single(text: str) -> dict[str, str]:
    """Form fields or query options by name; of one given twice, the first."""
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
