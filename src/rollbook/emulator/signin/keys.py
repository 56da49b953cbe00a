"""The signing keys: made when the emulator starts, rolled over on demand. Old ones verify until they are dropped."""

from __future__ import annotations

import itertools
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from ..wire import Answer, Record

KEPT = 2
"""The key in use and the one before it, as Microsoft's rollover leaves them."""


class KeyRing:
    """RSA keys, the newest of which signs."""

    def __init__(self, seed: int) -> None:
        self._numbers = itertools.count(1)
        self._seed = seed
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self.roll()

    def roll(self) -> str:
        """A new key signs from now on; returns its kid."""
        kid = f"emulated-{self._seed}-{next(self._numbers)}"
        self._keys[kid] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for old in list(self._keys)[:-KEPT]:
            del self._keys[old]
        return kid

    def sign(self, claims: Record) -> str:
        """The claims as a token."""
        kid, key = list(self._keys.items())[-1]
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})

    def verify(self, token: str, **options: Any) -> Record:
        """The claims of a token one of our keys signed; `jwt.PyJWTError` for any other."""
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in self._keys:
            raise jwt.InvalidTokenError("signed by a key that is not known")
        claims: Record = jwt.decode(token, self._keys[kid].public_key(), algorithms=["RS256"], **options)
        return claims

    def published(self) -> Answer:
        """The public keys, as a JWKS."""
        entries = [
            {
                **jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                "use": "sig",
                "kid": kid,
                "alg": "RS256",
            }
            for kid, key in self._keys.items()
        ]
        return Answer(200, {"keys": entries})
