"""Every option of the emulated tenant, each with its meaning, unit and why that default.

Knows what may be chosen; refuses to know how anything is served.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The choices for one emulated Microsoft 365; `ValueError` where one makes no sense.

    host: loopback address to listen on. Anything else is refused: the control calls have no password.
    port: TCP port; 0 (default) lets the system pick a free one, so that two emulators never collide.
    state: file that keeps the tenant over restarts and `kill -9`; None (default) keeps it in memory only.
    quota_scale: factor on every quota of graph.md section 9; 1.0 (default) as documented, None switches quotas off.
    delays: factor on settling, operation and roster delays (sections 7.1 to 7.3); 1.0 (default) as documented, None off.
    speed: how many times faster than the wall the emulator's one clock runs; 1.0 (default) is real time.
        Waits told to a client (Retry-After, expires_in) are in wall seconds, so they shrink with it.
    seed: ids, secrets and chance are derived from it; the same seed announces the same ones.
    domain: the verified, managed domain with mail that is the tenant's default.
    initial_domain: the tenant's first domain, as `*.onmicrosoft.com` is for Microsoft.
    tenant_name: displayName of the organization.
    student_seats, faculty_seats: licences of the two A1 products; plenty by default, because seats are
        rarely what a first try is about.
    people: accounts that exist at the very start besides the administrator; 0 by default.
    tenants: how many tenants there are at the very start; 1 by default, more can be made by control calls.
    expired_delta: how a delta link of more than seven days is refused: 410 (default) with where to begin again, or 400
        syncStateNotFound; Microsoft documents both.
    group_licensing: whether the tenant's edition has group-based licensing (section 13.6); on by default.
    eligible_roles: whether it has P2, without which eligible role assignments cannot be read (section 13.10); on by default.
    single_use_assertions: whether a client assertion is refused the second time; off by default, because msal sends the
        same one again while it lasts, so Microsoft must take it.
    tls: serve https with a certificate made on the spot, for clients that refuse plain http; off by default.
    """

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    quota_scale: float | None = 1.0
    delays: float | None = 1.0
    speed: float = 1.0
    seed: int = 1
    domain: str = "sample-school.example"
    initial_domain: str = "sampleschool.onmicrosoft.example"
    tenant_name: str = "Sample School"
    student_seats: int = 200_000
    faculty_seats: int = 50_000
    people: int = 0
    tenants: int = 1
    expired_delta: int = 410
    group_licensing: bool = True
    eligible_roles: bool = True
    single_use_assertions: bool = False
    tls: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work, naming the option."""
        if not ipaddress.ip_address(self.host).is_loopback:
            raise ValueError(f"host must be a loopback address, not {self.host}: the control calls are open to anyone")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port must be between 0 and 65535, not {self.port}")
        for name in ("quota_scale", "delays"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0, or None to switch it off, not {value}")
        if self.speed <= 0:
            raise ValueError(f"speed must be above 0, not {self.speed}")
        if min(self.student_seats, self.faculty_seats, self.people) < 0:
            raise ValueError("seats and people cannot be negative")
        if self.expired_delta not in (400, 410):
            raise ValueError(f"expired_delta must be 400 or 410, not {self.expired_delta}")
        if self.tenants < 1:
            raise ValueError(f"tenants must be 1 or more, not {self.tenants}")
