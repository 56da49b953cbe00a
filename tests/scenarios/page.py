"""The table of the page: a line for every sentence and every control of the configuration page, in the page's own order.

The page itself is not ours and stands in ../shared; what stands here are paraphrases of our own, and for each sentence a
fingerprint by which tools/coverage.py finds it again. A line of TABLE reads

    id | fingerprints, or the section of product.md it comes from | kind | what it says

A sentence with several controls has a line for each, under one fingerprint. Ids with a letter are rules by which product.md
sharpens the line above. An id is never given to another rule later. Kinds:

    rule        has a scenario; the check fails while it has none
    soon        a rule whose scenario is still to be written; the check fails once it has one, so that it becomes a rule
    interface   a matter of the portal's pages
    issue N     belongs to another issue
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table. `sentences` are fingerprints on the page; empty where `source` is a section of product.md."""

    id: str
    section: str
    source: str
    kind: str
    says: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """The fingerprints of the sentences the line stands for."""
        return () if self.source.startswith("§") else tuple(self.source.split(", "))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its name, the files of its scenarios (none: no scenario yet), the fingerprints of its headings."""

    name: str
    scenarios: tuple[str, ...]
    headings: tuple[str, ...]
    entries: tuple[Entry, ...]


FURNITURE: tuple[str, ...] = (
    "077aa89a", "9f94c0ee", "5217dff1", "be56b057", "471bf4a6", "ba4d5956", "46b42b42", "6d0bab38", "0533bc1e", "2ee7de52",
    "6f2da38e", "5d3d5547", "1b3b6d71",
)  # fmt: skip
"""What belongs to the site the page was found on: its search box, its title, its age, a picture's name, a question to readers."""

FIRST_HALF = ("Connecting", "Profiles", "Mappings", "Actions", "Matching users", "Roles for users")
"""The sections before Teams."""


def section(name: str, scenarios: str, headings: str, table: str) -> Section:
    """A section of the page from its table. ValueError at a line that is none."""
    entries = []
    for line in table.strip().splitlines():
        cells = [cell.strip() for cell in line.split(" | ")]
        if len(cells) != 4 or not all(cells):
            raise ValueError(f"{name}: not a line of the table: {line}")
        entries.append(Entry(cells[0], name, *cells[1:]))
    return Section(name, tuple(scenarios.split()), tuple(headings.split(", ")), tuple(entries))


CONNECTING = section(
    "Connecting",
    "test_connecting.py",
    "3338d338, fc767619, 81c7c3f2",
    """
P1   | 57d0ce34 | interface | The settings are reached through the menu of the configuration, its advanced part and its integrations.
P2   | 347cc647 | interface | A button named after Microsoft's suite begins it all.
P3   | a0cbdac0 | interface | The button leads to a page of its own about Microsoft 365.
P4   | ce055059 | interface | A button there activates the integration.
P5   | 273f2b75 | interface | Activating asks first whether one is sure.
P6   | 24c48f72 | interface | Nothing is activated before one agrees.
P7   | 661ccff8 | interface | Installing is a step of its own, after activating.
P8   | 1fc073b9 | interface | Installing asks first, too.
P9   | f4e03a41 | interface | Nothing is installed before one agrees.
P10  | 8c36f857 | interface | Microsoft then asks an administrator of the school to sign in.
P11  | 4e6442dd | interface | After the sign-in, Microsoft shows which permissions are asked for.
P12  | f15d36ec | interface | Accepting them joins the school to its tenant.
P13  | d79623a9 | interface | One is back in the portal afterwards, whose page of Microsoft 365 settings can be opened now.
P14  | 4a9ce152 | rule | From then on, whoever is new in the register gets an account without further ado, as the profile says.
P14a | §3 | issue 8 | A change in the register is carried out within seconds, for those it concerns.
P14b | §3 | issue 8 | A setting lets only new people start a synchronization, not edited ones.
P14c | §3 | issue 8 | While no profile runs, people who changed are listed as waiting.
P14d | §3 | issue 8 | A profile's schedule starts synchronizations by itself, every two hours unless it says otherwise.
P14e | §3 | rule | A preview tells what would change, today or on another day, and changes nothing.
P14f | §3 | issue 8 | Chosen people can be synchronized by a bulk action.
P14g | §3 | rule | A tenant has one synchronization at a time.
P14h | §3 | rule | A plan that waits for approval does not keep others from synchronizing.
P14i | §3 | issue 8 | Equal requests become one, and a few people are served in the midst of a long run.
P14j | §3 | rule | A synchronization can be started by hand at any time.
P14k | §1 | rule | People and enrolments kept by hand count like delivered ones, and leave a trail.
""",
)

PROFILES = section(
    "Profiles",
    "test_profiles.py test_scope.py",
    "151def20, b6da32fa",
    """
P15  | 3e1d5883 | rule | Here it is said on which days the school is synchronized, and about which school year.
P15a | §3 | rule | A careful start: only chosen locations, grades, groups or people are in scope.
P15b | §3 | rule | People and classes can be excluded one by one.
P15c | §3 | rule | The first run of a profile waits until somebody approves it.
P15d | §3 | rule | It tells who is matched, who would get an account, and who is ambiguous.
P15e | §3 | rule | It tells which accounts of the tenant would be left alone.
P16  | ea3f6094 | rule | A new synchronization period is made as a new execution profile.
P17  | ea3f6094 | interface | The plus sign makes it.
P18  | e8435942 | rule | A school can have several profiles, each with its own days.
P19  | c26a2b71 | rule | Of two profiles, one may be running while the other is disabled.
P19a | §3 | rule | A profile is a draft, enabled from a day on, enabled behind another, running, disabled, or ended.
P19b | §3 | interface | The list has name, school year, days and status, and for each profile what can be done with it.
P19c | §3 | rule | Only a profile that never ran can be deleted.
P20  | 5e431ffd | interface | A small window asks for what a new profile needs.
P21  | 5e431ffd | rule | A profile has a name, which no other profile of the school has.
P22  | 5e431ffd | rule | A profile has a first and a last day.
P23  | 5e431ffd | rule | A profile names the school year whose enrolments count.
P24  | dc7266ac | rule | Where the days of two profiles overlap, exactly one of them synchronizes.
P24a | §3 | rule | It is the one that begins latest.
P24b | §3 | rule | Of two that begin together it is the one enabled last.
P24c | §3 | rule | Enabling a profile names those whose days it meets; the list tells which one runs when.
P24d | §3 | interface | The form warns while the days are being typed.
P25  | cc1e02ab | rule | Profiles whose days do not meet run each in its own days.
P26  | 71032560 | interface | A profile is opened for editing from its menu of actions,
P27  | f39f6e4f | interface | or, when it is open already, by its pencil.
P27a | §3 | rule | Each save is a version that stays as it is: who saved it, when, and what changed.
P27b | §3 | rule | Any two versions can be compared.
P27c | §3 | rule | Any version can be restored.
P27d | §3 | rule | When two people edit, the second to save is told what the first changed, and loses nothing.
P27e | §3 | rule | A profile is taken out as YAML, and taken in again, as it was.
P27f | §3 | rule | All mistakes are told at once, each with its place.
P27g | §3 | interface | Each mistake stands beside its field.
P28  | 2047cc90 | rule | A copy has every setting of its original, for the same school year or another, with other days and another name.
P28a | §3 | rule | A copy has no runs and is not enabled.
P29  | 4684ff90 | rule | The settings come in parts, one for each kind of thing the tenant holds.
P30  | bec6e92d | rule | The parts are users, teams, enrolments and hierarchies.
""",
)

MAPPINGS = section(
    "Mappings",
    "test_mappings.py test_account_enabled.py",
    "4f166fde",
    """
P31  | a4278060 | rule | A mapping says how a value of the register becomes one of the tenant's, and keeps it so.
P31a | §4 | rule | What a row sets on creation only is left alone afterwards.
P31b | §4 | rule | Rows can be tried on real people before anything is sent.
P31c | §4 | rule | A try warns where a value is too long, is empty though required, or could not be made.
P31d | §4 | rule | A try warns where characters are not allowed, or where a value collides with somebody else's.
P31e | §4 | rule | A row that fails for one person stops that person only.
P32  | 5d3888cc | rule | Each part of a profile has mappings.
P33  | 2edda11a | rule | They draw on properties, each with a meaning that is shown.
P34  | 9c5e1a5d | rule | Of people: first and last name, e-mail, id.
P34a | §4 | rule | Of people, also: middle and preferred names, username, number, type, grade, location, institute, groups, phone.
P34b | §4 | rule | Of people, also: external id, employee id, status, enrolments alone, department, grade type, level, stream, last day.
P35  | 3efcdd19 | rule | Of teams: what the group, the subject and the grade are.
P36  | 82a169d9 | rule | Of enrolments: the role, among others.
P37  | 7800f776 | rule | Of hierarchies: what a study area or department is, among others.
P38  | c524f30c | rule | What is required cannot be left out, and nothing is mapped twice.
P39  | c524f30c | interface | Both are shown in grey, with the reason.
P40  | b548a088, 49775e14 | rule | Type property: the value is the person's own.
P41  | 49775e14 | rule | Type static: the value is the same for everybody.
P41a | §4 | rule | Type expression: fields, text and named functions put together.
P41b | §4 | rule | An expression cannot loop for long, import anything, or reach outside its row.
P42  | fc1bfb93 | rule | The value names the property, such as first name, e-mail, id, grade, or the name of the institute.
P43  | e479449c | rule | Casing none: letters stay as they are.
P44  | e479449c | rule | Casing lower: all letters become small.
P45  | e479449c | rule | Casing upper: all letters become capitals.
P46  | 25e9c388 | rule | A user can have a whole set of such rows.
P47  | 5b65e897 | rule | Whether an account may sign in follows from being active in the institute and having enrolments.
P47a | §4 | rule | Students and teachers need at least one current enrolment or teaching in the profile's school year.
P47b | §4 | rule | Parents need at least one such child.
P47c | §4 | rule | Employees need to be active, nothing else.
P47d | §4 | rule | Where Deactivate is off, nobody's sign-in is taken away by it.
P47e | §4 | rule | It gives the sign-in back only to accounts that Rollbook itself disabled.
P47f | §4 | rule | Whether an account is enabled can be mapped from another property.
P47g | §1 | rule | An enrolment that is still to begin counts from the lead days on, 14 unless the profile says otherwise.
P47h | §1 | rule | The last day of an enrolment is the first day without it.
P47i | §1 | rule | A summer between two school years disables nobody and empties no team.
""",
)

ACTIONS = section(
    "Actions",
    "test_actions.py test_leaving.py test_passwords.py",
    "2b0dcdd4",
    """
P48  | 96acfe9d | rule | Create makes an account for a person who has none.
P48a | §5 | rule | Create off: no account is made, and the plan says so.
P48b | §5 | rule | A new account has a password of its own, random, to be changed at the first sign-in, and kept encrypted.
P48c | §5 | rule | First passwords are handed over once, as slips, as a file, or by a claim code, and are gone then.
P48d | §5 | rule | A person or a whole class can be given new passwords later.
P49  | 96acfe9d | rule | Update keeps an existing account in step with the register.
P49a | §5 | rule | Update off: no attribute, licence or name of an existing account is touched.
P49b | §5 | rule | Whoever holds a directory role is never changed: directly, eligibly, or through a group.
P49c | §5 | rule | Where roles cannot be read, no account that was there is changed in any way.
P49d | §5 | rule | Accounts on the list the administrator keeps are never changed.
P49e | §5 | rule | An account for which Microsoft refused a change is not tried again and again.
P49f | §5 | rule | An account kept by the school's own Active Directory is linked, licensed and enrolled, and nothing else.
P50  | 96acfe9d | rule | Deactivate takes the sign-in from whoever left, and ends their sessions.
P50a | §5 | rule | A grace before disabling can be set; there is none unless it is.
P50b | §5 | rule | Where it is chosen, licences go after a grace, which is 90 days unless it is set otherwise.
P50c | §5 | rule | Accounts are never deleted.
P50d | §5 | rule | Whoever comes back may sign in again, where Create or Update is on.
P50e | §5 | rule | An account in Microsoft's bin is restored for whoever comes back, found by id or mark, never by name.
P50f | §5 | rule | What somebody else disabled stays disabled.
P50g | §5 | rule | It is shown that somebody else disabled it.
P50h | §5 | rule | Our claim on a disabled account ends once it was seen enabled.
P51  | 96acfe9d | rule | SSO alone is an action too.
P51a | §5 | rule | With any action on, people are matched and linked, which writes nothing, and enrolled once they are linked.
P51b | §5 | rule | With no action on, people are neither matched nor enrolled.
P51c | §5 | issue 9 | Who may sign in to the portal follows the profile that runs today, else the one that ran last.
P52  | f35910f0, 122caad3 | rule | The example has all that is suggested for students,
P53  | 5f238263 | rule | Update, Deactivate and SSO without Create for teachers,
P54  | 6dc8b98d | rule | nothing for parents,
P55  | bc59a2f8 | rule | and Update with SSO for employees.
P55a | §5 | rule | Suggested are all four for students and teachers, Update and SSO for employees, none for parents.
P55b | §5 | interface | A control suggests them for one row, another for all rows.
P56  | 91898122 | issue 9 | SSO lets an active user sign in here by way of the linked Microsoft account.
P57  | efac83e9 | issue 9 | Nothing but Microsoft's own sign-in is needed then.
P58  | 123179a0 | rule | What is chosen in the grid is what happens, and nothing else: every combination.
""",
)

MATCHING = section(
    "Matching users",
    "test_matching.py test_links.py",
    "38a338b3, 7dfb4cf6",
    """
P59  | 9cde6bf6 | rule | The first time, people and accounts are brought together by a property that was chosen.
P59a | §5 | rule | One hit is linked.
P59b | §5 | rule | Two or more hits wait for a person.
P59c | §5 | rule | What waits stands on a list of matches to review, where it can be decided.
P59d | §5 | rule | A hit that is linked to somebody else already is a conflict.
P59e | §5 | rule | Guests are never matched.
P59f | §5 | rule | Nor are shared mailboxes, and restricted or dynamic objects.
P59g | §5 | rule | Two people of one name stay two: nobody is matched by a name alone.
P60  | 9cde6bf6 | rule | Chosen can be the e-mail,
P60a | §5 | rule | which never links staff by itself, since its owner can change it,
P60b | §5 | rule | nor anybody to an administrator's account,
P61  | 9cde6bf6 | rule | or the user name,
P62  | 9cde6bf6 | rule | or the number the school has given, or nothing at all.
P63  | 997fd12f | rule | From then on the account's own id counts, whatever else of it changes.
P63a | §5 | rule | A link belongs to the tenant, and every profile of the school uses it.
P63b | §5 | rule | A linked account that is gone waits; nobody gets a second one.
P63c | §5 | rule | Links can be looked through, corrected, and taken away without deleting anything.
P63d | §5 | rule | Links are taken in and out in bulk.
P63e | §5 | rule | Links keep their history.
P63f | §5 | rule | Links can be made anew from the marks on the accounts.
P63g | §5 | rule | An account that carries somebody else's mark is a conflict and is touched in no way.
P63h | §5 | rule | An account that was deleted and made anew by hand is not taken for the one that was linked.
P63i | §5 | rule | User name, mail and object id go back to the school as a file.
P63j | §5 | issue 8 | They go back through the API and by webhook, too.
""",
)

ROLES = section(
    "Roles for users",
    "test_roles.py test_licences.py test_corporate.py",
    "43fd82f0",
    """
P64  | 2fd88614 | rule | Each user type has a domain, in which its user names are made.
P64a | §5 | rule | The domain has to be verified and managed, and is looked at again in every run.
P64b | §5 | rule | It has to be one that can receive mail.
P64c | §5 | rule | Somebody of several types is provisioned under the first of teacher, employee, student, parent.
P64d | §5 | rule | That order can be changed.
P64e | §5 | rule | A user name has only characters that Microsoft accepts, whatever the alphabet of the name.
P64f | §5 | rule | It is written in Latin letters as the school's language writes it.
P64g | §5 | rule | No two accounts of the tenant have the same one, whoever made them; equal ones are numbered from 2.
P64h | §5 | rule | Who gets which number does not depend on the order of a delivery.
P64i | §5 | rule | Once given, it stays, also when the person's name changes.
P64j | §5 | rule | It follows a changed name where the profile says so.
P64k | §5 | rule | Ordered alternatives are tried before numbers.
P64l | §5 | rule | A leaver's user name stays reserved for a time that can be set.
P64m | §5 | rule | Where no user name can be made, that person waits, and nobody else does.
P65  | 2fd88614 | rule | Each user type has a licence.
P65a | §5 | rule | The country in which it is used is the type's, else the tenant's own, and is set before.
P65b | §5 | rule | When licences run short, the types are served in their order, and the rest waits.
P65c | §5 | rule | A type can have several licences, with some of their plans switched off.
P65d | §5 | rule | Before every apply it is told how many are needed, how many are free, and who would be left out.
P65e | §5 | rule | Licences can be given by flat groups of their own, where the tenant offers it.
P65f | §5 | rule | Only licences that we assigned are ever taken away.
P65g | §5 | rule | A licence the tenant does not have stops the run with a sentence.
P66  | 1985a519 | rule | An organisation may have one tenant for the employees of all its institutes.
P67  | 1df21e6f | rule | Where it has, the domain of employees is that tenant's.
P68  | 04879456 | rule | For employees, Create, Update and Deactivate are off then, and locked,
P69  | 04879456 | rule | and SSO is on, and locked.
P69a | §2 | rule | Employees are matched there by reading only; nothing is written.
""",
)

TEAMS = section(
    "Teams",
    "test_teams.py test_teams_found.py test_team_owners.py test_rollover.py",
    "fadff6cf",
    """
P70  | 629f7df9 | rule | Teams have mappings as well.
P70a | §6 | rule | Mapped are the name, the description, the address, the class code and the external id.
P70b | §6 | rule | A mapping that fails for one team stops that team only, and is found before anything is sent.
P71  | 2b381342 | rule | What becomes a team is chosen from a few modes:
P71a | §6 | rule | A class team is made of a class group, whose members are hidden, and stays locked until a teacher activates it.
P71b | §6 | rule | A standard team is private, and nobody gets a welcome mail.
P71c | §6 | rule | What is in a locked team is judged by its group; its own list of people follows hours later.
P71d | §6 | rule | Microsoft needs a while before a group can become a team: it is tried again until it is one.
P71e | §6 | rule | A class team of more than 300 people is warned of.
P72  | b14ccdee | rule | nothing does,
P72a | §6 | rule | Teams that are there when nothing is to be a team any more are left alone, and listed.
P72b | §6 | rule | Another mode makes other teams; those of the mode before are left alone, and listed.
P73  | c004ea10 | rule | every group does,
P74  | b3ce6802 | rule | every subject does,
P75  | 682d269b | rule | every combination of group and subject does.
P75a | §6 | rule | A team belongs to its class and its school year: the next year's class is another team.
P75b | §6 | rule | No team is made without an owner who may sign in and has a licence; it waits, and says so.
P75c | §6 | rule | A new owner comes before the old one leaves; the last one stays until there is another.
P75d | §6 | rule | Standing owners can be set, for all teams or those of a location and what lies below.
P75e | §6 | rule | At the end of a school year it is told which teams end, which continue, and which begin.
P75f | §6 | rule | A team that continues keeps its conversations, and only where the plan of the new year says so.
P75g | §6 | rule | Teams that ended are archived, never deleted, and can be brought back.
P76  | 08dfc630 | rule | The first time, teams are found by their e-mail,
P77  | 08dfc630 | rule | or by their name,
P78  | 08dfc630 | rule | or by their external id.
P78a | §6 | rule | They are found among all groups, not among classes only.
P78b | §6 | rule | Two hits wait for a person, and so does a hit that is linked to another team.
P79  | 997fd12f/2 | rule | From then on the team's own id counts.
P79a | §6 | rule | A group, subject or class that is called something else now keeps its team.
""",
)

ENROLMENTS = section(
    "Enrolments",
    "test_enrolments.py test_held.py test_school_year.py test_human_edits.py",
    "e3b9ca64, 05590bf9, 8c16c21e",
    """
P80  | b81f81e6 | rule | It is set what students are in a team.
P81  | b81f81e6 | rule | It is set what teachers are in a team.
P82  | b81f81e6 | rule | It is set for assistants, special associates, both supervisors and mentors, too.
P82a | §7 | rule | Whoever is to be more or less than before is made so, without leaving the team.
P82b | §7 | rule | Nobody is ever removed and added again: the smallest difference is sent.
P82c | §1 | rule | A student who changes class is in one team until that day, and in the other from then on.
P82d | §1 | rule | Somebody who stands in for a teacher between two days is in the team in those days.
P82e | §9 | rule | A whole school year, day by day: every evening the tenant is what the register says.
P83  | 4763c9bf | rule | Enrolments that begin before a chosen day are held back.
P83a | §7 | rule | A membership that is there stays until its end, and ends as usual.
P83b | §7 | rule | They count as current everywhere else.
P83c | §7 | rule | They are listed, each with the reason.
P84  | caeb21aa | rule | They are let through by hand, for chosen students, by a bulk action.
P84a | §7 | rule | What was let through stays so, enrolment by enrolment, and can be held again.
P85  | 1669bb15 | rule | Whether people without a current enrolment are synchronized is a yes or a no.
P85a | §7 | rule | It concerns students and teachers; an account that is there loses its sign-in only as the profile says otherwise.
P86  | 26a998a1 | rule | Whether earlier enrolments are kept is a yes or a no.
P87  | 06388635 | rule | When they are kept, people are added to teams and never taken out.
P87a | §7 | rule | The proof tells them apart, as kept by rule.
P87b | §7 | rule | It concerns teams, not the groups of hierarchies.
P87c | §7 | rule | People who were added by hand are left alone, and shown.
P87d | §7 | rule | They are removed where the profile says so, unless earlier enrolments are kept.
""",
)

HIERARCHIES = section(
    "Hierarchies",
    "test_hierarchies.py test_group_types.py",
    "9a6784ad",
    """
P88  | c99ff2dc | rule | The structure of a school has nine levels, from the institute down to the term.
P88a | §8 | rule | A group stands for a path of the levels that are on, as it is found in real enrolments.
P88b | §8 | rule | A level somebody lacks is passed over, and does not end the path.
P88c | §8 | rule | Whoever has no enrolment joins by location, else at the institute; parents join where their children are.
P89  | e5c8285a | rule | A level that another part of the profile uses already is not offered.
P89a | §8 | rule | When Teams uses a level later, it is told what becomes of it; its groups are left alone, and listed.
P90  | d79ba839, 587f1e61 | rule | One hierarchy is for everybody,
P91  | 7f4fba83 | rule | others are for students or for teachers only, with settings of their own.
P92  | e813c688 | rule | Groups can be of the security kind,
P93  | e813c688 | rule | or of the unified kind.
P93a | §8 | rule | Another kind makes new groups and leaves the old ones, which are listed.
P94  | f18a9397 | rule | Security groups stand one inside the other, unified ones side by side.
P94a | §8 | rule | In nested groups people are direct members of their deepest ones only,
P94b | §8 | rule | flat ones hold the people of everything below.
P95  | 4bc4351a, 422dae0d | rule | Security groups can be given permissions, on pages of SharePoint for instance.
P96  | 172995d7 | rule | Unified groups can be written to by e-mail.
P96a | §8 | rule | They are private, and have the owner a setting names; without one they are not made.
P97  | 560af8c9 | rule | A unified group can be the people of a team.
P98  | 16a8ee0a | interface | Two switches are there for unified groups only.
P99  | e16daf43 | rule | One makes the group without greeting its members by e-mail.
P100 | c98b2580 | rule | The other keeps the group out of its members' Outlook.
P100a | §8 | rule | Both are possible when a group is made, and leave those alone that are there.
P101 | 93b0848b | rule | Only levels that are switched on can be mapped.
P102 | 3496c335 | rule | The first time, the group of a level is found by its name or external id.
P103 | 4142d19b | rule | From then on the group's own id counts.
P103a | §8 | rule | A part of the school that is called something else now keeps its group.
P103b | §8 | rule | What Microsoft's limits forbid is found when planning, and said in a sentence.
""",
)

CONCLUDING = section(
    "Concluding",
    "test_concluding.py",
    "a1cba188",
    """
P104 | 0b49f500 | interface | The page ends with three buttons.
P105 | 8ed0c3c0 | rule | Saving keeps the settings.
P106 | c84df156 | rule | A profile that was only saved does not run before somebody enables it.
P106a | §3 | interface | Saving says so, with the button to enable it beside it.
P107 | 1540d585 | rule | What was saved can be enabled with it, and counts from then on.
P108 | 413a8b39 | interface | Cancelling throws away what was not saved, and asks first if there is something to lose.
P109 | 6f9edebb | interface | A small clock appears beside a profile once it was synchronized.
P110 | ae39f97f | rule | The day and the time of the last synchronization are known,
P110a | §3 | rule | and its result.
""",
)

SECTIONS = (
    CONNECTING,
    PROFILES,
    MAPPINGS,
    ACTIONS,
    MATCHING,
    ROLES,
    TEAMS,
    ENROLMENTS,
    HIERARCHIES,
    CONCLUDING,
)
ENTRIES = tuple(entry for part in SECTIONS for entry in part.entries)
