"""Clients that nobody here wrote, unmodified, against the emulated tenant: an OpenID Connect client and Microsoft's own Graph SDK."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from tests.emulator.client import PASSWORD, Client
from tests.emulator.test_signin import BACK, MARIA, Browser

from rollbook.emulator import Config, Emulator


def test_an_openid_connect_client_completes_code_flow_with_pkce_refresh_and_logout(graph):
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.jwk import KeySet

    graph.control("apps", client_id=graph.target.client_id, redirects=[BACK])
    graph.user("maria", passwordProfile={"password": PASSWORD, "forceChangePasswordNextSignIn": False})
    found = requests.get(f"{graph.target.login}/{graph.target.tenant}/v2.0/.well-known/openid-configuration").json()
    session = OAuth2Session(
        graph.target.client_id,
        graph.target.client_secret,
        scope="openid profile offline_access",
        redirect_uri=BACK,
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
    )
    verifier = "v" * 48
    url, state = session.create_authorization_url(found["authorization_endpoint"], nonce="n", code_verifier=verifier)
    answer = Browser(graph.target.login).go(url).sign_in(MARIA, PASSWORD).page.headers["Location"]
    token = session.fetch_token(
        found["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
    )

    keys = KeySet.import_key_set(requests.get(found["jwks_uri"]).json())
    decoded = jwt.decode(token["id_token"], keys)
    options = {"iss": {"value": found["issuer"]}, "aud": {"value": graph.target.client_id}, "nonce": {"value": "n"}}
    claims = CodeIDToken(decoded.claims, decoded.header, options, {"nonce": "n", "client_id": graph.target.client_id})
    claims.validate()
    assert claims["preferred_username"] == MARIA
    assert session.get(found["userinfo_endpoint"]).json()["sub"] == claims["sub"]
    assert session.refresh_token(found["token_endpoint"], token["refresh_token"])["id_token"]
    ended = requests.get(
        found["end_session_endpoint"], params={"post_logout_redirect_uri": BACK}, allow_redirects=False
    )
    assert ended.headers["Location"] == BACK


class _Credential:
    """What the SDK asks for tokens: one that was issued already."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_: str, **__: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self._token, int(time.time()) + 3_000)


@pytest.fixture
def sdk(graph: Client) -> Any:
    """Microsoft's own client, pointed at the emulated tenant."""
    from azure.core.credentials import TokenCredential
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph import GraphRequestAdapter, GraphServiceClient

    token = str(graph.session.headers["Authorization"]).removeprefix("Bearer ")
    credential: TokenCredential = _Credential(token)
    provider = AzureIdentityAuthenticationProvider(credential, allowed_hosts=["127.0.0.1"])
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = graph.target.graph
    return GraphServiceClient(request_adapter=adapter)


@pytest.mark.filterwarnings("ignore")  # the SDK's own
def test_the_official_graph_sdk_works_unmodified(graph, sdk):
    # Playwright keeps an event loop in the thread of the tests, where no other can run.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(_closed_after(sdk))).result()

    assert graph("GET", f"/users/{MARIA}?$select=jobTitle").json()["jobTitle"] == "Pupil"


async def _closed_after(sdk: Any) -> None:
    """The tour; the SDK leaves its connections open otherwise."""
    try:
        await _tour(sdk)
    finally:
        # Closing its client does not close what the client sends through.
        await sdk.request_adapter._http_client._transport.transport.aclose()


async def _tour(sdk: Any) -> None:
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.models.education_class import EducationClass
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.models.password_profile import PasswordProfile
    from msgraph.generated.models.reference_create import ReferenceCreate
    from msgraph.generated.models.user import User
    from msgraph.generated.users.users_request_builder import UsersRequestBuilder

    def person(name: str) -> User:
        return User(
            account_enabled=True,
            display_name=name,
            mail_nickname=name,
            user_principal_name=f"{name}@sample-school.example",
            usage_location="GR",
            password_profile=PasswordProfile(password=PASSWORD, force_change_password_next_sign_in=True),
        )

    made = [await sdk.users.post(person(name)) for name in ("maria", "nikos", "anna")]
    maria = made[0]
    assert (await sdk.users.by_user_id(maria.id).get()).display_name == "maria"
    await sdk.users.by_user_id(maria.id).patch(User(job_title="Pupil"))

    def asked(**options: Any) -> Any:
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(**options)
        return RequestConfiguration(query_parameters=query)

    page = await sdk.users.get(request_configuration=asked(top=2, select=["id", "displayName", "createdDateTime"]))
    rest = await sdk.users.with_url(page.odata_next_link).get()
    assert len(page.value) + len(rest.value) == 4
    assert isinstance(page.value[0].created_date_time, dt.datetime)
    (found,) = (await sdk.users.get(request_configuration=asked(filter="startswith(displayName,'ni')"))).value
    assert found.id == made[1].id

    first = await sdk.users.delta.get()
    await sdk.users.by_user_id(maria.id).patch(User(job_title="Pupil"))
    assert len(first.value) == 4
    await sdk.users.by_user_id(made[2].id).delete()
    later = await sdk.users.delta.with_url(first.odata_delta_link).get()
    assert made[2].id in {entry.id for entry in later.value}
    await sdk.directory.deleted_items.by_directory_object_id(made[2].id).restore.post()

    klass = await sdk.education.classes.post(
        EducationClass(display_name="Maths", mail_nickname="maths", external_id="M1")
    )
    for user in made:
        reference = ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/education/users/{user.id}")
        await sdk.education.classes.by_education_class_id(klass.id).members.ref.post(reference)
    members = await sdk.groups.by_group_id(klass.id).members.get()
    assert {member.id for member in members.value} == {user.id for user in made}
    references = await sdk.groups.by_group_id(klass.id).members.ref.get()
    assert all(re.search(r"/directoryObjects/[0-9a-f-]{36}$", address) for address in references.value)

    with pytest.raises(ODataError) as refused:
        await sdk.users.post(person("maria"))
    assert refused.value.error.details[0].code == "ObjectConflict"


def test_next_links_are_https_on_the_host_that_was_asked(tmp_path, monkeypatch):
    with Emulator(
        Config(quota_scale=None, delays=None, tls=True, people=120, state=tmp_path / "tenant.state")
    ) as tenant:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tenant.certificate))
        client = Client(tenant)
        assert tenant.graph.startswith("https://127.0.0.1:")
        assert client("GET", "/users").json()["@odata.nextLink"].startswith(tenant.graph)
        assert client.delta("/users/delta")[1].startswith(tenant.graph)
        client.close()
