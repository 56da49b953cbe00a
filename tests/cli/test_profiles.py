"""`rollbook profile` as an administrator uses it: from a first look to a copy for next year."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_commands import Shell
from tests.sources.folder import write

from rollbook.profiles import Profile


@pytest.fixture
def shell(tmp_path: Path):
    """An installation with one small school."""
    opened = Shell(tmp_path)
    write(tmp_path / "school")
    assert opened("import", str(tmp_path / "school")).returncode == 0
    return opened


def said(shell: Shell, *arguments: str) -> str:
    ran = shell("profile", *arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_profile_is_exported_edited_compared_and_restored(shell, tmp_path):
    file = tmp_path / "profile.yaml"
    said(shell, "export", "Suggested", str(file))
    file.write_text(file.read_text().replace("lead_days: 14", "lead_days: 7"))

    assert "users.lead_days: 14 -> 7" in said(shell, "edit", "Suggested", str(file))
    assert said(shell, "diff", "Suggested").strip() == "users.lead_days: 14 -> 7"
    late = shell("profile", "edit", "Suggested", str(file))
    assert (late.returncode, "you started from 1" in late.stderr) == (3, True)
    assert "as version 3" in said(shell, "restore", "Suggested", "1")
    shown = json.loads(said(shell, "show", "Suggested", "--json"))
    assert (shown["version"], shown["settings"]["users"]["lead_days"]) == (3, 14)
    assert [entry["note"] for entry in shown["versions"]] == ["suggested settings", "", "version 1 restored"]


def test_next_years_profile_is_copied_enabled_and_seen_in_the_list(shell):
    said(shell, "copy", "Suggested", "Next year", "--begin", "2099-09-01", "--end", "2100-06-30")
    assert "Next year: Draft" in said(shell, "list")

    told = said(shell, "enable", "Next year")
    assert "meets that of Suggested" in told
    assert "2099-09-01 to 2100-06-30: Next year" in told
    listed = json.loads(said(shell, "list", "--as-of", "2099-10-01", "--json"))
    assert [(p["name"], p["status"]) for p in listed["profiles"]] == [
        ("Next year", "Running"),
        ("Suggested", "Enabled behind Next year"),
    ]
    assert "disabled" in said(shell, "disable", "Next year")


def test_a_profile_travels_to_another_name_and_all_mistakes_are_told(shell, tmp_path):
    file = tmp_path / "profile.yaml"
    file.write_text(said(shell, "export", "Suggested"))
    assert "Travelled is a draft" in said(shell, "import", str(file), "--name", "Travelled")

    file.write_text("name: Wrong\nsettings: {users: {lead_days: -1}, teams: {create: all}}\n")
    refused = shell("profile", "import", str(file))
    assert refused.returncode == 3
    assert "settings.users.lead_days" in refused.stderr
    assert "settings.teams.create" in refused.stderr
    assert shell("profile", "show", "Wrong").returncode == 3
    assert shell("profile", "import", str(tmp_path / "missing.yaml")).returncode == 3


def test_the_schema_is_published_as_it_is(shell):
    published = Path(__file__).parents[2] / "docs" / "profile-schema.json"

    assert json.loads(said(shell, "schema")) == json.loads(published.read_text()) == Profile.model_json_schema()


def test_mappings_are_tried_on_real_people_before_anything_is_sent(shell, tmp_path):
    file = tmp_path / "profile.yaml"
    text = said(shell, "export", "Suggested")
    row = "job_title:\n        type: expression\n        value: \"{{ date_format(phone, '%Y') }}\"\n      "
    file.write_text(text.replace("    mappings:\n      ", f"    mappings:\n      {row}", 1))
    said(shell, "edit", "Suggested", str(file))

    ran = shell("mapping", "try", "Suggested", "--sample", "2", "--json")
    assert ran.returncode == 0, ran.stderr
    results = json.loads(ran.stdout)
    assert 1 <= len(results) <= 2
    assert all(result["values"]["display_name"] == result["name"] for result in results)
    one = shell("mapping", "try", "Suggested", "--person", results[0]["person"])
    assert f"display_name: {results[0]['name']}" in one.stdout
    nobody = shell("mapping", "try", "Suggested", "--person", "nobody")
    assert (nobody.returncode, "no person 'nobody'" in nobody.stderr) == (3, True)


def test_what_mappings_can_use_is_listed(shell):
    ran = shell("mapping", "properties", "--json")

    listed = json.loads(ran.stdout)
    assert listed["targets"]["employee_id"]["longest"] == 16
    assert {"name", "grade"} <= listed["properties"].keys()
    assert {"join", "transliterate"} <= listed["functions"].keys()


def test_what_mappings_of_teams_and_levels_can_use_is_listed_with_what_a_profile_maps(shell, tmp_path):
    teams = json.loads(shell("mapping", "properties", "--of", "teams", "--profile", "Suggested", "--json").stdout)
    assert {"name", "subject_code"} <= teams["properties"].keys()
    assert (teams["targets"]["display_name"]["grey"], teams["user_names"]) == ("required", {})
    assert teams["targets"]["class_code"]["grey"] == "already mapped"

    off = shell("mapping", "properties", "--of", "grade", "--profile", "Suggested")
    assert (off.returncode, "the level grade is not on" in off.stderr) == (3, True)
    a_hierarchy(shell, tmp_path, "group_subject")
    said_of_grade = shell("mapping", "properties", "--of", "grade", "--profile", "Suggested").stdout
    assert "Properties of levels" in said_of_grade
    assert (
        "description: What the group is, shown with its name. At most 1024 characters, already mapped." in said_of_grade
    )
    hidden = shell("mapping", "properties", "--of", "group", "--profile", "Suggested")
    assert (hidden.returncode, "left out, because teams.create is group_subject" in hidden.stderr) == (3, True)
    nothing = shell("mapping", "properties", "--of", "shoes")
    assert (nothing.returncode, "people, teams, institute" in nothing.stderr) == (3, True)


def a_hierarchy(shell: Shell, tmp_path: Path, create: str) -> str:
    """What is said when the profile is saved with the levels grade and group on."""
    file = tmp_path / "hierarchy.yaml"
    file.unlink(missing_ok=True)
    text = said(shell, "export", "Suggested")
    text = text.replace("levels: {}", "levels: {grade: {}, group: {}}", 1)
    file.write_text(text.replace("create: group_subject", f"create: {create}"))
    return said(shell, "edit", "Suggested", str(file))


def test_a_level_that_teams_uses_is_said_to_be_left_out_when_it_is_saved_and_shown(shell, tmp_path):
    sentence = "hierarchies.general.levels.group: the level group is left out, because teams.create is group_subject"

    assert sentence in a_hierarchy(shell, tmp_path, "group_subject").replace("\n", " ")
    assert sentence in said(shell, "show", "Suggested").replace("\n", " ")
    assert len(json.loads(said(shell, "show", "Suggested", "--json"))["left_out"]) == 1
    a_hierarchy(shell, tmp_path, "subject")
    assert json.loads(said(shell, "show", "Suggested", "--json"))["left_out"] == []


def test_a_profile_comes_from_standard_input_and_goes_to_standard_output(shell, tmp_path):
    text = said(shell, "export", "Suggested", "-")
    assert not (tmp_path / "-").exists()

    edited = shell("profile", "edit", "Suggested", "-", text=text.replace("levels: {}", "levels: {grade: {}}", 1))
    lines = edited.stdout.splitlines()
    assert "hierarchies.general.levels.grade: (nothing) -> these settings" in lines
    assert "  match: name" in lines
    assert max(map(len, lines)) < 250
    made = shell("profile", "import", "-", "--name", "Piped", text=text)
    assert (made.returncode, "Piped is a draft" in made.stdout) == (0, True)
