"""Signing in as Microsoft Entra documents it: tokens, assertions, pages, consent, and clients nobody here wrote (section 1)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import html
import re
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.emulator.client import PASSWORD, Client, refused

from rollbook.emulator import Config, Emulator

BACK = "http://localhost:8364/signed-in"
SCOPE = "https://graph.microsoft.com/.default"


# tokens, sections 1.2 and 1.3


@pytest.mark.parametrize(
    ("change", "status", "error", "number"),
    [
        ({"client_secret": "no"}, 401, "invalid_client", 7000215),
        ({"client_id": str(uuid.uuid4())}, 400, "unauthorized_client", 700016),
        (
            {"scope": "https://graph.microsoft.com/.default https://vault.azure.net/.default"},
            400,
            "invalid_scope",
            1002012,
        ),
        ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_a_refused_token_says_why_in_microsofts_form(graph, change, status, error, number):
    answer = graph.sign_in(**change)

    said = answer.json()
    assert (answer.status_code, said["error"], said["error_codes"]) == (status, error, [number])
    assert said["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= said.keys()
    # What Microsoft's support would look for: another one each time.
    assert said["trace_id"] != graph.sign_in(**change).json()["trace_id"]
    assert said["trace_id"] in said["error_description"]
    assert uuid.UUID(said["correlation_id"]).int


def test_a_tenant_has_to_be_named_and_known(graph):
    login, form = graph.target.login, {"client_id": graph.target.client_id, "client_secret": graph.target.client_secret}
    form |= {"grant_type": "client_credentials", "scope": SCOPE}

    def number(tenant: str) -> int:
        return int(requests.post(f"{login}/{tenant}/oauth2/v2.0/token", data=form).json()["error_codes"][0])

    assert number("nowhere.example") == 90002
    assert number("common") == 50059
    assert requests.post(f"{login}/{graph.target.domain}/oauth2/v2.0/token", data=form).status_code == 200


def test_a_secret_may_come_as_http_basic_and_never_from_a_browser(graph):
    url = f"{graph.target.login}/{graph.target.tenant}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    basic = (graph.target.client_id, graph.target.client_secret)

    assert requests.post(url, data=form, auth=basic).status_code == 200
    form |= {"client_id": basic[0], "client_secret": basic[1]}
    assert requests.post(url, data=form, headers={"Origin": "https://x.example"}).json()["error_codes"] == [9002326]


def test_an_application_reads_when_its_own_secrets_end_and_nobody_elses(graph):
    secrets = [{"value": graph.target.client_secret, "expires": None}, {"value": "another", "expires": 86_400.0}]
    graph.control("apps", client_id=graph.target.client_id, secrets=secrets)

    told = graph("GET", f"/applications(appId='{graph.target.client_id}')").json()

    ends = [(entry["hint"], entry["endDateTime"][:10]) for entry in told["passwordCredentials"]]
    assert ends == [(graph.target.client_secret[:3], "2299-12-31"), ("ano", "1970-01-02")]
    assert [entry["secretText"] for entry in told["passwordCredentials"]] == [None, None]
    assert told["keyCredentials"] == []
    assert graph("GET", "/applications(appId='00000000-0000-0000-0000-000000000001')").status_code == 404


def test_an_expired_secret_is_said_as_such(graph):
    secrets = [{"value": graph.target.client_secret, "expires": 1.0}]
    graph.control("apps", client_id=graph.target.client_id, secrets=secrets)

    assert graph.sign_in().json()["error_codes"] == [7000222]


def test_conditional_access_refuses_tokens(graph):
    graph.control("conditional-access", mode="block")

    assert graph.sign_in().json()["error_codes"] == [53003]


def test_a_claims_challenge_is_answered_by_a_token_asked_for_with_its_claims(graph):
    graph.control("conditional-access", mode="claims")
    challenged = graph("GET", "/users")
    assert refused(challenged) == (401, "InvalidAuthenticationToken")
    encoded = re.search(r'claims="([^"]+)"', challenged.headers["WWW-Authenticate"])
    assert encoded is not None

    token = graph.sign_in(claims=base64.b64decode(encoded[1]).decode()).json()["access_token"]
    assert graph("GET", "/users", Authorization=f"Bearer {token}").status_code == 200


def test_a_token_ends_by_the_emulators_clock_and_says_how_long_in_wall_seconds(graph):
    assert graph.sign_in().json()["expires_in"] == 3599
    graph.control("advance", seconds=3600)
    assert refused(graph("GET", "/users")) == (401, "InvalidAuthenticationToken")
    with Emulator(Config(quota_scale=None, delays=None, speed=60)) as fast:
        client = Client(fast)
        assert client.sign_in().json()["expires_in"] == 59
        client.close()


@pytest.fixture(scope="module")
def certificate() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rollbook")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    return key, made.sign(key, hashes.SHA256())


@pytest.fixture
def asserting(graph, certificate):
    """See asserting_at."""
    return asserting_at(graph, certificate)


def asserting_at(graph, certificate):
    """A function that asks for a token with an assertion, some of whose claims may be wrong."""
    key, found = certificate
    graph.control("apps", client_id=graph.target.client_id, certificates=[found.public_bytes(Encoding.PEM).decode()])
    url = f"{graph.target.login}/{graph.target.tenant}/oauth2/v2.0/token"
    der = found.public_bytes(Encoding.DER)

    def ask(algorithm: str = "PS256", signing: Any = key, **wrong: Any) -> Any:
        now = int(dt.datetime.now(dt.UTC).timestamp())
        client = graph.target.client_id
        claims = {
            "aud": url,
            "iss": client,
            "sub": client,
            "jti": str(uuid.uuid4()),
            "nbf": now,
            "exp": now + 300,
            **wrong,
        }
        thumbprint = hashlib.sha256(der) if algorithm == "PS256" else hashlib.sha1(der, usedforsecurity=False)
        name = "x5t#S256" if algorithm == "PS256" else "x5t"
        header = {name: base64.urlsafe_b64encode(thumbprint.digest()).decode().rstrip("=")}
        form = {
            "client_id": client,
            "grant_type": "client_credentials",
            "scope": SCOPE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(claims, signing, algorithm=algorithm, headers=header),
        }
        said = requests.post(url, data=form).json()
        return said.get("error_codes", ["token" if "access_token" in said else said])[0]

    return ask


def test_an_assertion_is_accepted_in_both_forms(asserting):
    assert asserting("PS256") == "token"
    assert asserting("RS256") == "token"


def test_an_assertion_for_somebody_else_or_too_old_is_refused(asserting):
    past = int(dt.datetime.now(dt.UTC).timestamp()) - 10
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert asserting(aud="https://elsewhere.example/token") == 700023
    assert asserting(exp=past) == 700024
    assert asserting(signing=other) == 700027


def test_an_assertion_can_be_taken_once_only_where_that_is_asked(asserting, certificate):
    assert [asserting(jti="same"), asserting(jti="same")] == ["token", "token"]
    with Emulator(Config(quota_scale=None, delays=None, single_use_assertions=True)) as strict:
        client = Client(strict)
        ask = asserting_at(client, certificate)
        assert [ask(jti="same"), ask(jti="same"), ask()] == ["token", 50027, "token"]
        client.close()


def test_keys_roll_over_and_the_one_before_still_verifies(graph):
    path = f"{graph.target.login}/{graph.target.tenant}/discovery/v2.0/keys"
    before = {key["kid"] for key in requests.get(path).json()["keys"]}
    stale = graph.sign_in().json()["access_token"]  # never used, so nobody remembers it
    new = graph.control("keys/roll")["kid"]

    assert {key["kid"] for key in requests.get(path).json()["keys"]} == before | {new}
    assert graph("GET", "/users").status_code == 200
    graph.control("keys/roll")
    late = requests.get(f"{graph.target.graph}/users", headers={"Authorization": f"Bearer {stale}"})
    assert refused(late) == (401, "InvalidAuthenticationToken")
    assert Client(graph.target)("GET", "/users").status_code == 200


def test_several_tenants_keep_apart(graph, tenant):
    other = graph.control("tenants", domain="other.example", name="Other")
    app = graph.control("apps", name="Second", redirects=[BACK])
    assert Client(graph.target).sign_in(client_id=app["client_id"], client_secret=app["client_secret"]).json()[
        "error_codes"
    ] == [700016]
    graph.control("consent", app=app["client_id"], tenant=other["id"], roles=["User.ReadWrite.All"], at_once=True)
    graph.user("maria")
    there = Client(tenant, app, other["id"])

    assert [user["userPrincipalName"] for user in there.values("/users")] == [other["admin"]["username"]]
    assert there("GET", "/groups").status_code == 403
    there.close()


# pages, sections 1.4 and 1.5


class Browser:
    """Fills in the sign-in's forms as a person would."""

    def __init__(self, login: str) -> None:
        self.session = requests.Session()
        self.login = login
        self.page = requests.Response()

    def go(self, url: str, **query: str) -> Browser:
        self.page = self.session.get(url, params=query, allow_redirects=False)
        return self

    def fill(self, **fields: str) -> Browser:
        form = self.hidden | {"act": "next"} | fields
        self.page = self.session.post(f"{self.login}/_signin", data=form, allow_redirects=False)
        return self

    def sign_in(self, name: str, password: str) -> Browser:
        return self.fill(username=name).fill(password=password)

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page."""
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', self.page.text)
        return {name: html.unescape(value) for name, value in found}

    @property
    def answer(self) -> dict[str, str]:
        """What came back to the application."""
        assert self.page.status_code == 302, self.page.text
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.headers["Location"]).query).items()}


@pytest.fixture
def app(graph):
    """An app that people sign in to, and a person."""
    found = graph.control("apps", client_id=graph.target.client_id, redirects=[BACK])
    graph.user(
        "maria",
        mail="maria@sample-school.example",
        passwordProfile={"password": PASSWORD, "forceChangePasswordNextSignIn": False},
    )
    return found


@pytest.fixture
def browser_of(graph):
    return Browser(graph.target.login)


MARIA = "maria@sample-school.example"


def authorize(graph, browser, **more):
    """The first page of a sign-in."""
    query = {
        "client_id": graph.target.client_id,
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": "openid profile email",
        "state": "s",
        "nonce": "n",
    }
    return browser.go(f"{graph.target.login}/{graph.target.tenant}/oauth2/v2.0/authorize", **(query | more))


def redeem(graph, code, **more):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": graph.target.client_id,
        "client_secret": graph.target.client_secret,
    }
    return requests.post(f"{graph.target.login}/{graph.target.tenant}/oauth2/v2.0/token", data=form | more)


def test_a_person_signs_in_and_the_id_token_says_who_it_is(graph, app, browser_of):
    back = authorize(graph, browser_of).sign_in(MARIA, PASSWORD).answer
    assert back["state"] == "s"
    tokens = redeem(graph, back["code"]).json()

    root = f"{graph.target.login}/{graph.target.tenant}"
    keys = jwt.PyJWKClient(f"{root}/discovery/v2.0/keys")
    claims = jwt.decode(
        tokens["id_token"],
        keys.get_signing_key_from_jwt(tokens["id_token"]),
        algorithms=["RS256"],
        audience=graph.target.client_id,
        issuer=f"{root}/v2.0",
    )
    user = graph("GET", f"/users/{MARIA}").json()
    assert (claims["tid"], claims["oid"], claims["nonce"]) == (graph.target.tenant, user["id"], "n")
    assert (claims["preferred_username"], claims["email"]) == (MARIA, MARIA)
    assert "refresh_token" not in tokens
    shown = requests.get(
        f"{graph.target.login}/oidc/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert shown.json()["sub"] == claims["sub"]
    assert redeem(graph, back["code"]).json()["error_codes"] == [54005]


def test_a_wrong_password_a_stranger_and_a_disabled_account_are_told(graph, app, browser_of):
    assert "AADSTS50126" in authorize(graph, browser_of).sign_in(MARIA, "wrong").page.text
    assert "AADSTS50034" in authorize(graph, browser_of).fill(username="nobody@sample-school.example").page.text
    graph("PATCH", f"/users/{MARIA}", {"accountEnabled": False})
    assert "AADSTS50057" in authorize(graph, browser_of).sign_in(MARIA, PASSWORD).page.text


def test_the_first_sign_in_changes_the_password(graph, app, browser_of):
    graph.user("new")
    page = authorize(graph, browser_of).sign_in("new@sample-school.example", PASSWORD)
    assert "Update your password" in page.page.text
    assert "not the same" in page.fill(new="Fresh-horse-2", again="Fresh-horse-3").page.text
    assert "complexity" in page.fill(new="weak", again="weak").page.text
    assert "code" in page.fill(new="Fresh-horse-2", again="Fresh-horse-2").answer

    again = Browser(graph.target.login)
    assert "AADSTS50126" in authorize(graph, again).sign_in("new@sample-school.example", PASSWORD).page.text
    assert "code" in authorize(graph, again).sign_in("new@sample-school.example", "Fresh-horse-2").answer


def test_who_is_signed_in_goes_straight_back_unless_the_app_asks_otherwise(graph, app, browser_of):
    assert authorize(graph, browser_of, prompt="none").answer["error"] == "login_required"
    authorize(graph, browser_of).sign_in(MARIA, PASSWORD)

    assert "code" in authorize(graph, browser_of).answer
    assert "code" in authorize(graph, browser_of, prompt="none").answer
    assert "Enter password" not in authorize(graph, browser_of, prompt="login").page.text
    assert "Pick an account" in authorize(graph, browser_of, prompt="select_account").page.text
    assert "code" in browser_of.fill(username=MARIA).answer
    assert "would like to" in authorize(graph, browser_of, prompt="consent").page.text
    assert browser_of.fill(act="cancel").answer["error"] == "access_denied"


def test_sessions_end_by_logout_and_by_revoking(graph, app, browser_of):
    authorize(graph, browser_of, scope="openid offline_access").sign_in(MARIA, PASSWORD)
    refresh = redeem(graph, browser_of.answer["code"]).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh}
    assert "access_token" in redeem(graph, "", **form).json()

    graph.control("advance", seconds=1)
    graph("POST", f"/users/{MARIA}/revokeSignInSessions")
    assert redeem(graph, "", **form).json()["error_codes"] == [50173]
    assert authorize(graph, browser_of, prompt="none").answer["error"] == "login_required"
    graph.control("advance", seconds=1)
    authorize(graph, browser_of).sign_in(MARIA, PASSWORD)
    browser_of.go(f"{graph.target.login}/{graph.target.tenant}/oauth2/v2.0/logout", post_logout_redirect_uri=BACK)
    assert browser_of.page.headers["Location"] == BACK
    assert authorize(graph, browser_of, prompt="none").answer["error"] == "login_required"


def test_pkce_is_checked(graph, app, browser_of):
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

    def code() -> str:
        return (
            authorize(graph, Browser(graph.target.login), code_challenge=challenge, code_challenge_method="S256")
            .sign_in(MARIA, PASSWORD)
            .answer["code"]
        )

    assert redeem(graph, code()).json()["error_codes"] == [501481]
    assert redeem(graph, code(), code_verifier="w" * 43).json()["error_codes"] == [501481]
    assert "id_token" in redeem(graph, code(), code_verifier=verifier).json()


def test_a_code_lives_ten_minutes_and_belongs_to_its_address(graph, app, browser_of):
    code = authorize(graph, browser_of).sign_in(MARIA, PASSWORD).answer["code"]
    assert redeem(graph, code, redirect_uri="http://localhost/elsewhere").json()["error_codes"] == [50011]
    code = authorize(graph, browser_of).answer["code"]
    graph.control("advance", seconds=601)
    assert redeem(graph, code).json()["error_codes"] == [70008]


def test_nobody_is_sent_to_an_address_that_is_not_registered(graph, app, browser_of):
    page = authorize(graph, browser_of, redirect_uri="https://evil.example/").page
    assert (page.status_code, "AADSTS50011" in page.text) == (400, True)
    page = authorize(graph, browser_of, client_id="x").page
    assert (page.status_code, "AADSTS700016" in page.text) == (400, True)


def test_form_post_and_fragment(graph, app, browser_of):
    page = authorize(graph, browser_of, response_mode="form_post").sign_in(MARIA, PASSWORD).page
    assert f'action="{BACK}"' in page.text
    assert 'name="code"' in page.text
    location = authorize(graph, browser_of, response_mode="fragment").page.headers["Location"]
    assert location.startswith(f"{BACK}#code=")


@pytest.mark.parametrize("form", ["v2.0/adminconsent", "adminconsent"])
def test_an_administrator_consents_or_does_not(graph, tenant, form):
    app = graph.control("apps", name="New app", redirects=[BACK], required=["User.Read.All"])
    graph.user("maria", passwordProfile={"password": PASSWORD, "forceChangePasswordNextSignIn": False})
    admin = tenant.tenants[0]["admin"]

    def ask() -> Browser:
        return Browser(graph.target.login).go(
            f"{graph.target.login}/organizations/{form}",
            client_id=app["client_id"],
            redirect_uri=BACK,
            state="s",
            scope=SCOPE,
        )

    assert "AADSTS90094" in ask().sign_in(MARIA, PASSWORD).page.text
    cancelled = ask().sign_in(admin["username"], admin["password"]).fill(act="cancel").answer
    accepted = ask().sign_in(admin["username"], admin["password"]).fill(act="accept").answer
    if form == "adminconsent":
        assert cancelled["error"] == "permission_denied"
        assert accepted == {"admin_consent": "True", "tenant": graph.target.tenant, "state": "s"}
    else:
        assert (cancelled["error"], cancelled["admin_consent"]) == ("consent_required", "True")
        assert cancelled["error_description"].startswith("AADSTS65004")
        assert accepted == {"admin_consent": "True", "tenant": graph.target.tenant, "scope": SCOPE, "state": "s"}
    assert Client(tenant, app, graph.target.tenant)("GET", "/users").status_code == 200


# clients nobody here wrote


def test_msal_signs_in_over_tls_by_secret_by_certificate_and_by_code(certificate, tmp_path, monkeypatch):
    key, found = certificate
    with Emulator(Config(quota_scale=None, delays=None, tls=True, state=tmp_path / "tenant.state")) as tenant:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tenant.certificate))
        client = Client(tenant)
        client.control(
            "apps",
            client_id=client.target.client_id,
            redirects=[BACK],
            certificates=[found.public_bytes(Encoding.PEM).decode()],
        )
        client.user("maria", passwordProfile={"password": PASSWORD, "forceChangePasswordNextSignIn": False})
        authority = f"{tenant.login}/{client.target.tenant}"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = found.public_bytes(Encoding.PEM).decode()
        secret: Any = client.target.client_secret
        for credential in (secret, {"private_key": pem, "public_certificate": public}):
            app = msal.ConfidentialClientApplication(
                client.target.client_id, client_credential=credential, authority=authority, instance_discovery=False
            )
            token = app.acquire_token_for_client([SCOPE])
            assert "access_token" in token, token
            assert client("GET", "/organization", Authorization=f"Bearer {token['access_token']}").status_code == 200
            app.http_client.close()

        flow = app.initiate_auth_code_flow([], redirect_uri=BACK, response_mode="form_post")
        # The emulator would await the end of every connection over TLS that is kept for half a minute.
        form = Browser(tenant.login).go(flow["auth_uri"]).sign_in(MARIA, PASSWORD).hidden
        result = app.acquire_token_by_auth_code_flow(flow, form)
        assert "id_token_claims" in result, result
        assert result["id_token_claims"]["preferred_username"] == MARIA
        assert app.acquire_token_silent([], account=app.get_accounts()[0]) is not None
        app.http_client.close()
        client.close()
