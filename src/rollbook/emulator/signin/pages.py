"""The sign-in pages: an account, a password, a new password, a consent. Plainly marked as emulated; no script, nothing foreign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#8c959f;--paper:#fff;--back:#eef1f4;--mark:#7a4a00;--markback:#fff1d6;
--act:#0b5cad;--onact:#fff;--bad:#a40e26}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#6e7681;--paper:#161b22;--back:#0d1117;--mark:#ffd58a;
--markback:#3a2a08;--act:#58a6ff;--onact:#0d1117;--bad:#ff9aa2}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);min-height:100vh}
.mark{background:var(--markback);color:var(--mark);padding:.4rem 1rem;font-size:.875rem}
main{max-width:27rem;margin:8vh auto 2rem;background:var(--paper);padding:2rem;border-radius:.5rem;box-shadow:0 2px 12px #0002}
@media(max-width:30rem){main{margin:1rem;padding:1.25rem}}
h1{font-size:1.4rem;margin:0 0 1rem}p{margin:.5rem 0}.soft{color:var(--soft)}.bad{color:var(--bad);font-weight:600}
label{display:block;margin:.75rem 0 .25rem}input{font:inherit;width:100%;padding:.45rem .6rem;border:1px solid var(--line);
border-radius:.3rem;background:var(--paper);color:inherit}
.row{display:flex;gap:.75rem;justify-content:flex-end;margin-top:1.25rem;flex-wrap:wrap}
button{font:inherit;padding:.45rem 1.4rem;border-radius:.3rem;border:1px solid var(--act);background:var(--act);color:var(--onact);
cursor:pointer}button.quiet{background:none;color:inherit;border-color:var(--line)}
button.account{display:block;width:100%;text-align:left;background:none;color:inherit;border:1px solid var(--line);margin:.5rem 0;
padding:.6rem .8rem;overflow-wrap:anywhere}:focus-visible{outline:3px solid var(--act);outline-offset:2px}
ul{padding-left:1.2rem;overflow-wrap:anywhere}code{font-size:.875rem;overflow-wrap:anywhere}
"""


MEANINGS: Mapping[str, str] = {
    "AdministrativeUnit.ReadWrite.All": "Read and change administrative units",
    "Application.ReadWrite.OwnedBy": "Manage the applications it owns",
    "Directory.Read.All": "Read the directory",
    "Domain.Read.All": "Read domains",
    "EduRoster.ReadWrite.All": "Read and change the school's roster",
    "Group.Create": "Create groups",
    "Group.ReadBasic.All": "Read basic properties of all groups",
    "Group.ReadWrite.All": "Read and change all groups",
    "GroupMember.ReadBasic.All": "Read who is in which group, basic properties only",
    "GroupMember.ReadWrite.All": "Read and change who is in which group",
    "LicenseAssignment.ReadWrite.All": "Assign and remove licences",
    "Member.Read.Hidden": "Read hidden memberships",
    "Organization.Read.All": "Read about the organization",
    "RoleManagement.Read.Directory": "Read directory roles",
    "Team.Create": "Create teams",
    "Team.ReadBasic.All": "Read names and descriptions of all teams",
    "TeamMember.ReadWrite.All": "Add and remove members of all teams",
    "TeamSettings.ReadWrite.All": "Read and change settings of all teams",
    "User-Mail.ReadWrite.All": "Read and change everybody's other mail addresses",
    "User-PasswordProfile.ReadWrite.All": "Set everybody's password",
    "User-Phone.ReadWrite.All": "Read and change everybody's phone numbers",
    "User.DeleteRestore.All": "Delete and restore users",
    "User.EnableDisableAccount.All": "Enable and disable accounts",
    "User.Read.All": "Read all users' profiles",
    "User.ReadWrite.All": "Read and change all users' profiles",
    "User.RevokeSessions.All": "End everybody's sign-in sessions",
}
"""What a permission lets an application do, in words."""


def frame(title: str, content: str) -> str:
    """A whole page."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} (emulated)</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body>'
        '<div class="mark" role="note">Emulated sign-in: this is not Microsoft. Never type a real password here.</div>'
        f"<main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def _form(flow: str, step: str, content: str) -> str:
    hidden = {"flow": flow, "step": step}
    fields = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    return f'<form method="post" action="/_signin">{fields}{content}</form>'


def _said(fault: str) -> str:
    return f'<p class="bad" role="alert">{escape(fault)}</p>' if fault else ""


def account_page(flow: str, app: str, tenant: str, name: str, fault: str = "") -> str:
    """Type a user name."""
    content = (
        f"{_said(fault)}<p class='soft'>to continue to {escape(app)}, in {escape(tenant)}</p>"
        '<label for="username">User name</label>'
        f'<input id="username" name="username" type="email" autocomplete="username" value="{escape(name)}" required autofocus>'
        '<div class="row"><button class="quiet" name="act" value="cancel" formnovalidate>Cancel</button>'
        '<button name="act" value="next">Next</button></div>'
    )
    return frame("Sign in", _form(flow, "account", content))


def picker_page(flow: str, app: str, names: Sequence[str]) -> str:
    """Pick one of the accounts that are signed in."""
    buttons = "".join(
        f'<button class="account" name="username" value="{escape(name)}">{escape(name)}</button>' for name in names
    )
    content = (
        f"<p class='soft'>to continue to {escape(app)}</p>{buttons}"
        '<button class="account" name="username" value="">Use another account</button>'
    )
    return frame("Pick an account", _form(flow, "pick", content))


def password_page(flow: str, name: str, fault: str = "") -> str:
    """Type the password of an account."""
    content = (
        f"{_said(fault)}<p class='soft'>{escape(name)}</p><label for='password'>Password</label>"
        '<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>'
        '<div class="row"><button class="quiet" name="act" value="back" formnovalidate>Back</button>'
        '<button name="act" value="next">Sign in</button></div>'
    )
    return frame("Enter password", _form(flow, "password", content))


def change_page(flow: str, name: str, fault: str = "") -> str:
    """The first sign-in: choose a password of one's own."""
    content = (
        f"{_said(fault)}<p class='soft'>{escape(name)}</p><p>You need to update your password because this is the first time "
        "you are signing in, or because your password has expired.</p>"
        '<label for="new">New password</label><input id="new" name="new" type="password" autocomplete="new-password" required autofocus>'
        '<label for="again">Confirm password</label><input id="again" name="again" type="password" autocomplete="new-password" required>'
        '<p class="soft">8 to 256 characters, of three kinds: small and capital letters, digits, symbols.</p>'
        '<div class="row"><button name="act" value="next">Sign in</button></div>'
    )
    return frame("Update your password", _form(flow, "change", content))


def consent_page(flow: str, app: str, tenant: str, permissions: Sequence[str], *, admin: bool) -> str:
    """What an application asks for, with Accept and Cancel."""
    listed = "".join(
        f"<li>{escape(MEANINGS.get(permission, permission))}"
        + (f' <code class="soft">{escape(permission)}</code></li>' if permission in MEANINGS else "</li>")
        for permission in permissions
    )
    whom = (
        f"If you accept, this app gets these permissions for everybody in {escape(tenant)}."
        if admin
        else "If you accept, this app may read who you are."
    )
    content = (
        f"<p><b>{escape(app)}</b> would like to:</p><ul>{listed}</ul><p class='soft'>{whom}</p>"
        '<div class="row"><button class="quiet" name="act" value="cancel">Cancel</button>'
        '<button name="act" value="accept">Accept</button></div>'
    )
    return frame("Permissions requested", _form(flow, "consent", content))


def message_page(title: str, sentence: str, code: str = "") -> str:
    """A page without a way on."""
    return frame(
        title, f"<p>{escape(sentence)}</p>" + (f"<p class='soft'><code>{escape(code)}</code></p>" if code else "")
    )


def posting_page(address: str, fields: Mapping[str, str]) -> str:
    """`response_mode=form_post`: a form that goes to the application, by itself where scripts run, else by a button."""
    inputs = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in fields.items())
    content = (
        f'<form method="post" action="{escape(address)}">{inputs}<p>You are signed in.</p>'
        '<div class="row"><button autofocus>Continue</button></div></form>'
        "<script>document.forms[0].submit()</script>"
    )
    return frame("Continue", content)
