"""Mappings of teams and of the nodes of hierarchies: what becomes of the register's structure in the properties of a group.

The properties there are, the targets Microsoft has and their lengths are declared here once (graph.md sections 5 and 6); the row is
that of people (`rows`).
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from typing import ClassVar

from rollbook.profiles.rows import Mappable, Row, Target

TEAM_PROPERTIES: Table[str, str] = {
    "name": "What the team is naturally called: of a combination the title of its class if it has one, else subject and "
    "group; of a group or a subject its name.",
    "about": "Subject and group with a comma between them, those there are.",
    "id": "The sourced id of the class, group or subject; of a combination of several classes those of group and subject.",
    "code": "The code of the class, group or subject.",
    "code_or_name": "The code, else the name.",
    "group": "The group's name.",
    "group_id": "The group's sourced id.",
    "group_code": "The group's code.",
    "subject": "The subject's name.",
    "subject_id": "The subject's sourced id.",
    "subject_code": "The subject's code.",
    "class_title": "The title of the class; empty where the classes of the team differ.",
    "class_code": "The code of the class; empty where the classes of the team differ.",
    "class_id": "The sourced id of the class; empty where the team has several classes.",
    "grade": "The grade; empty where the classes of the team differ.",
    "grade_level": "The level of the grade, by the institute's own table; empty where the classes of the team differ.",
    "grade_type": "The grade type, such as full-time; empty where the people of the team differ.",
    "stream": "The stream: track or specialisation; empty where the people of the team differ.",
    "location": "The location; empty where the classes of the team differ.",
    "location_id": "The location's sourced id; empty where the classes of the team differ.",
    "department": "The department within the location; empty where the classes of the team differ.",
    "academic_period": "The school year's title.",
    "academic_period_id": "The school year's sourced id.",
    "institute": "The institute's name.",
    "institute_id": "The institute's sourced id.",
}
"""Every property of a team a mapping can use, with its meaning. The team is one of a group, a subject, or a combination of both."""

TEAM_TARGETS: Table[str, Target] = {
    "display_name": Target(256, "The name shown everywhere.", required=True),
    "description": Target(1024, "What the team is about, shown with its name."),
    "mail_nickname": Target(
        64,
        "Name of the team's mailbox, before the @. Letters Microsoft does not take are replaced or left out, and equal names "
        "numbered.",
        required=True,
        shortened=True,
    ),
    "class_code": Target(64, "Code of the class, shown to teachers; class teams alone have one."),
    "external_id": Target(128, "Id of the class at Microsoft, by which it can be matched; class teams alone have one."),
}
"""Every property of a team that can be mapped."""

TEAM_LOCKED: Table[str, str] = {
    "visibility": "private always, because nobody joins a class by themselves",
    "owners": "made of enrolments.teachers, enrolments.student and teams.extra_owners",
    "members": "made of enrolments.student and enrolments.teachers",
    "template": "the setting teams.template, the same for all",
}
"""Properties of a team that no mapping sets, and what does."""

NODE_PROPERTIES: Table[str, str] = {
    "path": "The names from the top down to the node, as Lycee / 7th grade / Science.",
    "name": "The name of the deepest level on the path.",
    "id": "The sourced id of the deepest level; empty where the register has none, as for streams.",
    "code": "The code of the deepest level, where it has one.",
    "level": "The deepest level: institute, academic period, location and so on.",
    "hierarchy": "Who is in it: everybody, students or teachers.",
    "institute": "The institute on the path; this and the following are empty where the path has none.",
    "academic_period": "The school year on the path.",
    "location": "The location on the path.",
    "department": "The department on the path, where the location is one.",
    "grade": "The grade on the path.",
    "grade_level": "The level of the grade on the path.",
    "stream": "The stream on the path.",
    "group": "The group on the path.",
    "subject": "The subject on the path.",
    "marking_period": "The marking period on the path.",
    "institute_id": "The sourced id of the institute on the path.",
    "academic_period_id": "The sourced id of the school year on the path.",
    "location_id": "The sourced id of the location on the path.",
    "grade_id": "The sourced id of the grade on the path.",
    "group_id": "The sourced id of the group on the path.",
    "subject_id": "The sourced id of the subject on the path.",
    "marking_period_id": "The sourced id of the marking period on the path.",
}
"""Every property of a node a mapping can use, with its meaning."""

NODE_TARGETS: Table[str, Target] = {
    "display_name": Target(256, "The name shown everywhere.", required=True),
    "description": Target(1024, "What the group is, shown with its name."),
    "mail_nickname": Target(
        64,
        "Name of the group's mailbox, before the @; security groups have the name alone. Letters Microsoft does not take are "
        "replaced or left out, and equal names numbered.",
        shortened=True,
    ),
    "external_id": Target(128, "Id of what the node stands for, by which its group can be matched."),
}
"""Every property of the group of a node that can be mapped."""

NODE_LOCKED: Table[str, str] = {
    "group_type": "the setting group_type of the hierarchy, the same for all its groups",
    "visibility": "private always, because nobody joins the school's structure by themselves",
    "owners": "the setting owners of the hierarchy; security groups have none",
    "members": "made of enrolments, teachings and affiliations",
}
"""Properties of the group of a node that no mapping sets, and what does."""

OF_TEAMS = Mappable("teams", "teams", TEAM_PROPERTIES, TEAM_TARGETS, TEAM_LOCKED)
OF_NODES = Mappable("levels", "the groups of levels", NODE_PROPERTIES, NODE_TARGETS, NODE_LOCKED)


class TeamMapping(Row):
    """One row of teams: where the value of a property of a team comes from."""

    about: ClassVar[Mappable] = OF_TEAMS


class NodeMapping(Row):
    """One row of a level: where the value of a property of its groups comes from."""

    about: ClassVar[Mappable] = OF_NODES


def suggested_team_mappings() -> dict[str, TeamMapping]:
    """What a team is called by its class, told from others by the register's ids."""
    return {
        "display_name": TeamMapping(value="name"),
        "description": TeamMapping(value="about"),
        "mail_nickname": TeamMapping(value="code_or_name"),
        "class_code": TeamMapping(value="code"),
        "external_id": TeamMapping(value="id"),
    }


def suggested_node_mappings() -> dict[str, NodeMapping]:
    """The whole path as the name, because two grades may both have a stream Science."""
    return {
        "display_name": NodeMapping(value="path"),
        "description": NodeMapping(
            type="expression", value="{{ hierarchy|capitalize }} of {{ path }}, as the school's register has them."
        ),
        "mail_nickname": NodeMapping(value="path"),
        "external_id": NodeMapping(value="id"),
    }


def suggested_mappings_of_type() -> dict[str, NodeMapping]:
    """As in the general hierarchy, with the user type in the name, because the paths of both are the same."""
    named = NodeMapping(type="expression", value="{{ path }} ({{ hierarchy }})")
    return {**suggested_node_mappings(), "display_name": named}
