"""Access tokens for an application, by msal; AADSTS faults as sentences (graph.md sections 1.2 and 13.13).

msal insists on https. An emulated tenant on loopback is reached by a host name of its own that is mapped to the loopback
address underneath, so msal never sees an http address.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msal
import requests

from rollbook.errors import Stop
from rollbook.graph.transport import UNREACHABLE, require_safe

EMULATED_LOGIN = "https://login.emulator.test"
SCOPE = "https://graph.microsoft.com/.default"
SECONDS = 20.0

SENTENCES: Mapping[int, tuple[str, str]] = {
    7000215: (
        "Microsoft 365 does not accept the client secret.",
        "Enter the secret's value (not its id) again, or make a new one. Waiting does not help.",
    ),
    7000222: (
        "The client secret has expired.",
        "An administrator of Microsoft 365 makes a new secret for the application; enter it here. Waiting does not help.",
    ),
    700027: (
        "Microsoft 365 does not accept our certificate: it has expired, or is not registered with the application.",
        "An administrator of Microsoft 365 registers the certificate with the application. Waiting does not help.",
    ),
    700016: (
        "The application is not known in this tenant (any more): its consent was withdrawn, or the application deleted.",
        "An administrator of Microsoft 365 gives consent again; if that was done minutes ago, waiting helps.",
    ),
    7000112: (
        "The application was disabled in this tenant.",
        "An administrator of Microsoft 365 enables it again under Enterprise applications. Waiting does not help.",
    ),
    65001: (
        "Nobody has given consent to our application in this tenant.",
        "An administrator of Microsoft 365 gives consent. Waiting does not help.",
    ),
    90002: ("There is no such tenant.", "Check the tenant id. Waiting does not help."),
    53003: (
        "A conditional access policy refused our sign-in.",
        "An administrator of Microsoft 365 excludes the application from the policy, or allows this server. Waiting does not help.",
    ),
    90033: ("Microsoft's sign-in is out of order for the moment.", "Nobody has to act; waiting helps."),
}
"""What the office is told, by AADSTS number: what happened; who acts, and whether waiting helps."""

ATTEMPTS = 3
"""How often a sign-in is asked for whose connection was lost: asking twice does no harm."""


class _LoopbackDoor:
    """The http client msal is given for an emulated tenant: maps EMULATED_LOGIN to an address on this machine."""

    def __init__(self, login_url: str) -> None:
        require_safe(login_url)
        self._login_url = login_url.rstrip("/")
        self._session = requests.Session()

    def get(self, url: str, **options: Any) -> requests.Response:
        return self._request("GET", url, options)

    def post(self, url: str, **options: Any) -> requests.Response:
        return self._request("POST", url, options)

    def close(self) -> None:
        self._session.close()

    def _request(self, method: str, url: str, options: dict[str, Any]) -> requests.Response:
        headers = dict(options.pop("headers", None) or {})
        if url.startswith(EMULATED_LOGIN):
            url = self._login_url + url.removeprefix(EMULATED_LOGIN)
            headers |= {"Host": urlsplit(EMULATED_LOGIN).netloc, "X-Forwarded-Proto": "https"}
        options.setdefault("timeout", SECONDS)
        return self._session.request(method, url, headers=headers, **options)


class AppTokens:
    """Access tokens of one application in one tenant; may be shared by threads."""

    def __init__(
        self,
        tenant: str,
        client_id: str,
        credential: str | Mapping[str, str],
        login_url: str,
        unreachable: str = UNREACHABLE,
    ) -> None:
        """`credential` is a client secret, or msal's mapping for a certificate. `login_url` may be on loopback (emulated).

        `unreachable` is what to do when nobody listens there.
        """
        self._unreachable = unreachable
        self._tenant, self._client_id, self._credential = tenant, client_id, credential
        self._emulated = urlsplit(login_url).scheme == "http"
        self._door = _LoopbackDoor(login_url) if self._emulated else None
        self._login_url = login_url.rstrip("/")
        self._authority = f"{EMULATED_LOGIN if self._emulated else self._login_url}/{tenant}"
        self._lock = threading.Lock()
        self._app: msal.ConfidentialClientApplication | None = None

    def __call__(self, *, renew: bool = False) -> str:
        """An access token; a new one if `renew`. Raises `Stop` with a sentence if none is to be had."""
        with self._lock:
            if renew:
                self._app = None
            result = self._asked()
        if "access_token" in result:
            return str(result["access_token"])
        raise self._refused(result)

    def _asked(self) -> dict[str, Any]:
        """What Microsoft answers to the sign-in."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self._app is None:
                    self._app = self._application()
                return dict(self._app.acquire_token_for_client([SCOPE]))
            except (requests.ConnectionError, requests.Timeout) as error:
                if attempt == ATTEMPTS:
                    raise Stop(f"Nothing answers at {self._login_url}.", remedy=self._unreachable) from error
            except ValueError as error:
                # msal says so when the tenant's discovery document is refused.
                raise Stop(
                    f"The tenant {self._tenant} cannot be signed in to.", remedy="Check the tenant id."
                ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """End the connections of the sign-in."""
        if self._door is not None:
            self._door.close()

    def _application(self) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._credential,
            authority=self._authority,
            instance_discovery=False if self._emulated else None,
            http_client=self._door,
        )

    def _refused(self, result: Mapping[str, Any]) -> Stop:
        numbers = result.get("error_codes") or [0]
        code = f"AADSTS{numbers[0]}"
        message, remedy = SENTENCES.get(
            int(numbers[0]), ("Microsoft 365 refused our sign-in.", "See Microsoft's code.")
        )
        # Microsoft's support finds a sign-in by its trace id (graph.md section 1.2).
        trace = str(result.get("trace_id") or result.get("correlation_id") or "")
        return Stop(f"{message} ({code})", remedy=remedy, code=code, status=400, request_id=trace)
