"""Secrets at rest: encrypted with the newest key, readable with any key still listed, rotated by listing a new one first."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from rollbook.errors import StoreUnusable
from rollbook.store.home import encryption_keys


class Vault:
    """Encrypts and decrypts with the keys of this installation."""

    def __init__(self, keys: list[str] | None = None) -> None:
        """`keys` are Fernet keys, the newest first; without them, those of the installation."""
        self._keys = keys if keys is not None else encryption_keys()
        self._fernet = MultiFernet([Fernet(key) for key in self._keys])

    @property
    def key_id(self) -> str:
        """Names the key that is used for encrypting, without telling it."""
        return hashlib.sha256(self._keys[0].encode()).hexdigest()[:16]

    def encrypt(self, text: str) -> bytes:
        """What is stored."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, ciphertext: bytes | memoryview) -> str:
        """What was encrypted. Raises StoreUnusable if no key fits."""
        try:
            return self._fernet.decrypt(bytes(ciphertext)).decode()
        except InvalidToken as error:
            raise StoreUnusable(
                "A stored secret cannot be read with the encryption keys of this installation.",
                remedy="Restore the file encryption.keys that belongs to this database.",
            ) from error

    def digests(self, text: str) -> list[str]:
        """Keyed hashes of `text`, by each key, the newest first: what is kept of something that is only ever compared."""
        keys = (hashlib.sha256(b"digest\0" + key.encode()).digest() for key in self._keys)
        return [hmac.new(key, text.encode(), hashlib.sha256).hexdigest() for key in keys]

    def rotate(self, ciphertext: bytes | memoryview) -> bytes:
        """The same secret, encrypted with the newest key."""
        return self._fernet.rotate(bytes(ciphertext))
