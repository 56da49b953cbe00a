"""Signing in on pages: who somebody is, whether they may, what they agree to; then back to the application (section 1.4, 1.5)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from ..calls import rules
from ..cloud import Cloud
from ..tenant.tenant import GLOBAL_ADMINISTRATOR, Tenant
from ..wire import Answer, Record, Refusal
from . import pages
from .clients import Clients
from .faults import SignInFault
from .tokens import Grant, Tokens

COOKIE = "emulated-session"
FLOW_LIFETIME = 3_600
MOST_FLOWS = 1_000
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
NO_REDIRECT = (
    "The redirect URI specified in the request does not match the redirect URIs configured for the application."
)


@dataclass(slots=True)
class Flow:
    """One visit of a browser: what the application asked, and how far the person is.

    admin: None for a sign-in; "v2" or "older" for the two forms of admin consent.
    """

    app: Record
    asked: Mapping[str, str]
    host: str
    tenant: Tenant | None
    at: float
    admin: str | None = None
    user: str = ""
    signed_in: bool = False
    session: str = ""


@dataclass(slots=True)
class Session:
    """Who is signed in in one browser: user -> since when (tenant time)."""

    users: dict[tuple[str, str], float] = field(default_factory=dict)


class Flows:
    """All visits going on, and the sessions of browsers."""

    def __init__(self, cloud: Cloud, clients: Clients, tokens: Tokens) -> None:
        self._cloud = cloud
        self._clients = clients
        self._tokens = tokens
        self._flows: dict[str, Flow] = {}
        self._sessions: dict[str, Session] = {}

    def authorize(self, named: str, asked: Mapping[str, str], host: str, cookie: str) -> Answer:
        """The first page of a sign-in; or straight back to the application, where that is possible or asked."""
        flow = self._begin(named, asked, host, cookie)
        if isinstance(flow, Answer):
            return flow
        if asked.get("response_type") != "code":
            fault = SignInFault(
                "unsupported_response_type", 700054, "response_type 'code' is the one that is supported."
            )
            return self._back(flow, fault)
        if "openid" not in asked.get("scope", "").split() and not asked.get("scope"):
            return self._back(
                flow, SignInFault("invalid_request", 900144, "The request must contain the parameter: 'scope'.")
            )
        if asked.get("code_challenge_method", "plain") not in ("S256", "plain"):
            return self._back(flow, SignInFault("invalid_request", 501491, "Invalid code_challenge_method."))
        return self._choose(flow)

    def admin_consent(self, named: str, asked: Mapping[str, str], host: str, cookie: str, form: str) -> Answer:
        """The first page of an admin consent, in its v2 or older form."""
        if form == "v2" and not asked.get("scope"):
            fault = SignInFault("invalid_request", 900144, "The request must contain the parameter: 'scope'.")
            return _error_page(fault)
        if named.lower() == "common" and form == "v2":
            return _error_page(SignInFault("invalid_request", 900382, "Name a tenant, or organizations, not common."))
        flow = self._begin(named, asked, host, cookie)
        if isinstance(flow, Answer):
            return flow
        flow.admin = form
        return self._choose(flow)

    def _begin(self, named: str, asked: Mapping[str, str], host: str, cookie: str) -> Flow | Answer:
        try:
            app = self._clients.find(asked.get("client_id", ""))
            tenant = None if named.lower() in ("common", "organizations") else self._cloud.named(named)
            if tenant is None and named.lower() not in ("common", "organizations"):
                raise SignInFault("invalid_request", 90002, f"Tenant '{named}' not found.")
            if not registered(app, asked.get("redirect_uri", "")):
                raise SignInFault("invalid_request", 50011, NO_REDIRECT)
        except SignInFault as fault:
            # Nobody is sent to an address that was not registered.
            return _error_page(fault)
        return Flow(app, asked, host, tenant, self._cloud.clock.now(), session=cookie)

    def _choose(self, flow: Flow) -> Answer:
        """Whoever is signed in already is taken or offered; else somebody has to sign in."""
        prompt = flow.asked.get("prompt", "")
        present = [] if prompt == "login" else self._present(flow)
        if prompt == "none":
            if len(present) != 1:
                message = "Session information is not sufficient for single-sign-on."
                return self._back(flow, SignInFault("login_required", 50058, message))
            flow.tenant, flow.user = present[0]
            return self._signed_in(flow)
        key = self._keep(flow)
        if len(present) == 1 and prompt != "select_account" and flow.admin is None:
            flow.tenant, flow.user = present[0]
            return self._signed_in(flow, key)
        if present:
            names = [str(t.users.get(u)["userPrincipalName"]) for t, u in present if t.users.get(u)]  # type: ignore[index]
            return Answer(200, pages.picker_page(key, flow.app["name"], names))
        return self._account(flow, key, flow.asked.get("login_hint", ""))

    def _present(self, flow: Flow) -> list[tuple[Tenant, str]]:
        """Who is signed in in this browser and may go on: still there, enabled, not signed out meanwhile."""
        session = self._sessions.get(flow.session)
        found = []
        for (tenant_id, key), since in (session.users if session is not None else {}).items():
            tenant = self._cloud.tenants.get(tenant_id)
            user = tenant.users.get(key) if tenant is not None else None
            if tenant is None or user is None or (flow.tenant is not None and tenant is not flow.tenant):
                continue
            if user["accountEnabled"] and user.get("_signed_out", 0.0) <= since:
                found.append((tenant, key))
        return found

    def _keep(self, flow: Flow) -> str:
        now = self._cloud.clock.now()
        if len(self._flows) >= MOST_FLOWS:
            self._flows = {key: held for key, held in self._flows.items() if now - held.at < FLOW_LIFETIME}
        key = secrets.token_urlsafe(24)
        self._flows[key] = flow
        return key

    def step(self, form: Mapping[str, str]) -> Answer:
        """The next page, after somebody filled in one."""
        key = form.get("flow", "")
        flow = self._flows.get(key)
        if flow is None:
            return Answer(
                400, pages.message_page("This sign-in is over", "Go back to the application and begin again.")
            )
        if form.get("act") == "cancel":
            message = "User declined to consent to access the app."
            return self._back(
                flow, SignInFault("access_denied" if flow.admin is None else "consent_required", 65004, message)
            )
        steps = {
            "pick": self._picked,
            "account": self._named,
            "password": self._proved,
            "change": self._changed,
            "consent": self._agreed,
        }
        step = steps.get(form.get("step", ""))
        if step is None:
            return Answer(400, pages.message_page("This page is unknown", "Go back and try again."))
        return step(flow, key, form)

    def _account(self, flow: Flow, key: str, name: str, fault: str = "") -> Answer:
        where = flow.tenant.name if flow.tenant is not None else "any organization"
        return Answer(200, pages.account_page(key, flow.app["name"], where, name, fault))

    def _picked(self, flow: Flow, key: str, form: Mapping[str, str]) -> Answer:
        name = form.get("username", "")
        for tenant, user in self._present(flow):
            record = tenant.users.get(user)
            if record is not None and record["userPrincipalName"] == name:
                flow.tenant, flow.user = tenant, user
                return self._signed_in(flow, key)
        return self._account(flow, key, name)

    def _named(self, flow: Flow, key: str, form: Mapping[str, str]) -> Answer:
        name = form.get("username", "").strip()
        home = self._cloud.named(name.partition("@")[2])
        user = home.users.one("userPrincipalName", name) if home is not None else None
        if home is None or user is None or (flow.tenant is not None and home is not flow.tenant):
            fault = f"AADSTS50034: The user account {name} does not exist in this directory."
            return self._account(flow, key, name, fault)
        domain = home.domains.get(name.partition("@")[2].lower())
        if domain is not None and domain["authenticationType"] == "Federated":
            fault = "The domain is federated: its own sign-in page would follow here, which is not emulated."
            return self._account(flow, key, name, fault)
        flow.tenant, flow.user = home, user["id"]
        return Answer(200, pages.password_page(key, user["userPrincipalName"]))

    def _user(self, flow: Flow) -> tuple[Tenant, Record]:
        assert flow.tenant is not None
        user = flow.tenant.users.get(flow.user)
        if user is None:
            raise SignInFault("invalid_grant", 50034, "The user account does not exist in the directory.")
        return flow.tenant, user

    def _proved(self, flow: Flow, key: str, form: Mapping[str, str]) -> Answer:
        if form.get("act") == "back" or not flow.user:
            return self._account(flow, key, "")
        tenant, user = self._user(flow)
        name = user["userPrincipalName"]
        if not hmac.compare_digest(form.get("password", "").encode(), str(user.get("_password", "")).encode()):
            fault = "AADSTS50126: Your account or password is incorrect."
            return Answer(200, pages.password_page(key, name, fault))
        if not user["accountEnabled"]:
            fault = (
                "AADSTS50057: Your account has been locked: the user account is disabled. Contact your support person."
            )
            return Answer(200, pages.password_page(key, name, fault))
        if tenant.id in self._tokens.blocked:
            fault = "AADSTS53003: Access has been blocked by Conditional Access policies."
            return Answer(200, pages.password_page(key, name, fault))
        if user.get("_change"):
            flow.signed_in = True
            return Answer(200, pages.change_page(key, name))
        return self._signed_in(flow, key)

    def _changed(self, flow: Flow, key: str, form: Mapping[str, str]) -> Answer:
        if not flow.signed_in:
            return self._account(flow, key, "")
        tenant, user = self._user(flow)
        new, name = form.get("new", ""), user["userPrincipalName"]
        if new != form.get("again"):
            return Answer(200, pages.change_page(key, name, "The two passwords are not the same."))
        if new == user["_password"]:
            return Answer(200, pages.change_page(key, name, "Choose a password that you have not used before."))
        try:
            rules.check_password({"password": new}, user.get("passwordPolicies"))
        except Refusal as refused:
            return Answer(200, pages.change_page(key, name, refused.message))
        stamp = {"lastPasswordChangeDateTime": tenant.stamp()}
        tenant.users.put(user["id"], {**user, "_password": new, "_change": False, **stamp})
        return self._signed_in(flow, key)

    def _signed_in(self, flow: Flow, key: str | None = None) -> Answer:
        """Who the person is, is known: remember it, ask for consent where that is due, else go back with a code."""
        tenant, user = self._user(flow)
        if flow.session not in self._sessions:
            flow.session = secrets.token_urlsafe(24)
            self._sessions[flow.session] = Session()
        self._sessions[flow.session].users.setdefault((tenant.id, user["id"]), self._cloud.clock.now())
        if flow.admin is not None and key is not None:
            if not _is_administrator(tenant, user):
                message = f"AADSTS90094: An administrator of {tenant.name} has to grant this; {user['userPrincipalName']} is none."
                return self._account(flow, key, "", message)
            return self._with_cookie(
                flow, pages.consent_page(key, flow.app["name"], tenant.name, flow.app["required"], admin=True)
            )
        if flow.asked.get("prompt") == "consent" and key is not None:
            wanted = ["Sign you in and read your profile", *flow.asked.get("scope", "").split()]
            return self._with_cookie(flow, pages.consent_page(key, flow.app["name"], tenant.name, wanted, admin=False))
        return self._with_code(flow)

    def _with_cookie(self, flow: Flow, page: str) -> Answer:
        return Answer(200, page, {"Set-Cookie": f"{COOKIE}={flow.session}; Path=/; HttpOnly; SameSite=Lax"})

    def _agreed(self, flow: Flow, key: str, _: Mapping[str, str]) -> Answer:
        present = [(tenant.id, user) for tenant, user in self._present(flow)]
        if flow.tenant is None or (flow.tenant.id, flow.user) not in present:
            return self._account(flow, key, "")
        tenant, user = self._user(flow)
        if flow.admin is None:
            return self._with_code(flow)
        if not _is_administrator(tenant, user):
            return self._account(flow, key, "", "AADSTS90094: An administrator has to grant this.")
        self._cloud.consent(tenant, flow.app["client_id"], flow.app["required"])
        answer = {"admin_consent": "True", "tenant": tenant.id}
        if flow.admin == "v2":
            answer["scope"] = flow.asked["scope"]
        return self._redirect(flow, answer)

    def _with_code(self, flow: Flow) -> Answer:
        tenant, user = self._user(flow)
        code = f"0.{secrets.token_urlsafe(48)}"
        asked = flow.asked
        self._tokens.codes[code] = Grant(
            tenant.id,
            user["id"],
            flow.app["client_id"],
            asked["redirect_uri"],
            asked.get("scope", ""),
            asked.get("nonce", ""),
            asked.get("code_challenge", ""),
            asked.get("code_challenge_method", "plain"),
            flow.host,
            self._cloud.clock.now(),
        )
        return self._redirect(flow, {"code": code})

    def _back(self, flow: Flow, fault: SignInFault) -> Answer:
        """Back to the application with a fault; the refused v2 consent says admin_consent=True too (section 1.4)."""
        answer = {"error": fault.error, "error_description": fault.description}
        if flow.admin == "v2":
            answer["admin_consent"] = "True"
        elif flow.admin == "older":
            answer["error"] = "permission_denied"
        return self._redirect(flow, answer)

    def _redirect(self, flow: Flow, answer: dict[str, str]) -> Answer:
        for key in [key for key, held in self._flows.items() if held is flow]:
            del self._flows[key]
        if "state" in flow.asked:
            answer["state"] = flow.asked["state"]
        headers = {"Set-Cookie": f"{COOKIE}={flow.session}; Path=/; HttpOnly; SameSite=Lax"} if flow.session else {}
        address, mode = flow.asked["redirect_uri"], flow.asked.get("response_mode", "query")
        if mode == "form_post":
            return Answer(200, pages.posting_page(address, answer), headers)
        joint = "#" if mode == "fragment" else "&" if urlsplit(address).query else "?"
        return Answer(302, None, {"Location": f"{address}{joint}{urlencode(answer)}", **headers})

    def logout(self, asked: Mapping[str, str], cookie: str) -> Answer:
        """The browser's session ends; back to the application if its address is registered."""
        self._sessions.pop(cookie, None)
        ended = {"Set-Cookie": f"{COOKIE}=; Path=/; Max-Age=0"}
        address = asked.get("post_logout_redirect_uri", "")
        if address and any(registered(app, address) for app in self._cloud.apps.values()):
            joint = "&" if urlsplit(address).query else "?"
            state = f"{joint}{urlencode({'state': asked['state']})}" if "state" in asked else ""
            return Answer(302, None, {"Location": f"{address}{state}", **ended})
        return Answer(
            200, pages.message_page("You signed out", "It's a good idea to close all browser windows."), ended
        )


def registered(app: Record, address: str) -> bool:
    """Whether an address is one of the app's; on loopback any port will do, as Microsoft has it."""
    asked = urlsplit(address)
    for known in app["redirects"]:
        there = urlsplit(known)
        if known == address:
            return True
        alike = (there.scheme, there.hostname, there.path) == (asked.scheme, asked.hostname, asked.path)
        if alike and asked.scheme == "http" and asked.hostname in LOOPBACK:
            return True
    return False


def _is_administrator(tenant: Tenant, user: Record) -> bool:
    held = tenant.assignments.find("principalId", user["id"]) or ()
    return any((tenant.assignments.get(key) or {}).get("roleDefinitionId") == GLOBAL_ADMINISTRATOR for key in held)


def _error_page(fault: SignInFault) -> Answer:
    return Answer(
        400,
        pages.message_page(
            "Sorry, but we're having trouble signing you in", fault.description, f"AADSTS{fault.number}"
        ),
    )
