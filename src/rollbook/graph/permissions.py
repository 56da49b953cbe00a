"""The application permissions the product needs, each with what for: the least set of graph.md section 11 that covers every call.

What a wider permission of the set allows already is not asked for beside it: Group.ReadWrite.All makes teams, archives them and
licenses groups, User.ReadWrite.All licenses users, restores them and ends their sessions.
"""

from __future__ import annotations

from collections.abc import Mapping

NEEDED: Mapping[str, str] = {
    "Application.ReadWrite.OwnedBy": "registers, once, the property that carries our mark on accounts",
    "Domain.Read.All": "reads which domains are verified and managed",
    "EduRoster.ReadWrite.All": "makes class groups and keeps them in step",
    "Group.ReadWrite.All": "makes groups and teams, sets owners and members, archives teams",
    "Member.Read.Hidden": "reads the members of class groups, who are hidden; without it they are left out without a word",
    "Organization.Read.All": "reads the tenant's name and its licences",
    "RoleManagement.Read.Directory": "reads who holds a directory role, so that these accounts are never touched",
    "TeamMember.ReadWrite.All": "reads teams' own rosters, and makes an owner a member without putting them out of the team",
    "User-PasswordProfile.ReadWrite.All": "sets new passwords for people who are there",
    "User.ReadWrite.All": "reads, makes, changes, licenses, disables and restores accounts",
}
"""Permission -> what it is used for."""
