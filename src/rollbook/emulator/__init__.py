"""A SMALL MICROSOFT 365: Graph, sign-in, quotas and faults as Microsoft documents them. Imports nothing of the product.

Three doors to the same thing: `with Emulator(Config(...)) as tenant`, `serve(Config(...), announce)`, `rollbook emulator serve`.
"""

from .config import Config
from .server import Emulator, serve
from .tenant.journal import StateUnusable

__all__ = ["Config", "Emulator", "StateUnusable", "serve"]
