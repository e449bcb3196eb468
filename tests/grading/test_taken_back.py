"""What goes back, read as each platform reads it: the rules of its importer, from its source or its documentation."""

import re
import zipfile

import pytest

from tests.grading.test_hand_back import ONE, TWO, entry
from vitcourse.grading.hand_back import UPLOAD
from vitcourse.grading.platforms import Person, by_name
from vitcourse.grading.roster import enter, read_roster
from vitcourse.grading.students import Student


def moodle_reads(table, participant="Participant "):
    """Grades by number: ``mod/assign/feedback/offline/importgradeslib.php``, and ``locallib.php`` beside it."""
    header, *rows = table
    where = [header.index(name) for name in ("Identifier", "Grade", "Last modified (grade)")]
    assert all(len(row) == len(header) for row in rows), "csvlib.class.php refuses the whole file"
    found = {}
    for row in rows:
        name, grade, _ = (row[place] for place in where)
        assert name.startswith(participant)
        if grade not in ("", "-"):
            found[int(name[len(participant) :])] = float(grade)
    return found


def canvas_reads(table, students):
    """Points possible and grades by user: ``lib/gradebook_importer.rb``. ``students`` are the course's, by number."""
    header, *rows = table
    parted = header[:2] == ["LastName", "FirstName"]
    first = 4 if parted else 3
    assert len(header) > first
    assert "ID" in header[2 if parted else 1]
    assert parted or "Student" in header[0]
    own = first
    if re.search(r"SIS\s+Login\s+ID", header[first - 1]):
        own += 1
    elif re.search(r"SIS\s+User\s+ID", header[first - 1]) and re.search(r"SIS\s+Login\s+ID", header[first]):
        own += 2 + bool(re.search(r"Integration\s+ID", header[first + 1]))
        own += bool(re.search(r"Root\s+Account", header[own - 1]))
    assert "Section" in header[own - 1], "Invalid header row"
    most, found = {}, {}
    for row in rows:
        columns = dict(zip(header[own:], row[own:], strict=True))
        if "Points Possible" in row[0]:
            most = columns
        else:
            found[students[row[first - 2]]] = columns
    return most, found


def blackboard_reads(table):
    """Grades by user: a header, and in each row the user's name; columns are told by the number behind ``|``."""
    header, *rows = table
    assert all(len(row) == len(header) for row in rows)
    return {row[header.index("Username")]: dict(zip(header[3:], row[3:], strict=True)) for row in rows}


def moodle_takes(name, participants):
    """Whose a page is and what it is called: ``mod/assign/feedback/file/importziplib.php``."""
    for place, part in enumerate(parts := name.split("/")):
        words = part.split("_", 4)
        if len(words) >= 4 and words[1].isdecimal() and int(words[1]) in participants:
            assert (words[2], words[3]) == ("assignsubmission", "file")
            return int(words[1]), "/".join([*words[4:], *parts[place + 1 :]])
    return None


def canvas_takes(name, attachments):
    """Whose a page is: ``infer_comment_context_from_filename`` in ``app/models/assignment.rb``."""
    user, attachment, *_ = (word for word in name.split("_") if word.isdecimal())
    return user if attachment in attachments[user] else None


def handed_in(tmp_path, roster, *names):
    (tmp_path / "class.csv").write_text(roster, encoding="utf-8")
    there, absent, _ = enter([student(name) for name in names], read_roster(tmp_path / "class.csv"))
    return [person for one in there for _, person in one.files] + [one.person for one in absent]


def student(name):
    person = by_name(name) or Person(name)
    return Student(person, None, name, [(None, person)])


WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
    'Participant 12,Ann Lee,a@x,Submitted,,5.00,-,\nParticipant 13,"=Bo, Li",b@x,No submission,,5.00,-,\n'
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,Quiz (3),HW 01_attention (77),Final Score\n"
    "    Points Possible,,,,,,9,5,(read only)\n"
    '"Lee, Ann",12,u1,alee,,S1,,,\n"Li, Bo",13,u2,bli,,"S1 and S2",,,\n'
)
PARTED = (
    "LastName,FirstName,ID,SIS User ID,SIS Login ID,Root Account,Section,HW 01_attention (77)\n"
    "Points Possible,,,,,,,5\nLee,Ann,12,u1,alee,x.edu,S1,\nLi,Bo,13,u2,bli,x.edu,S1,\n"
)
SHORT = (
    'Student,ID,SIS Login ID,Section,HW 01_attention (77)\n Points Possible,,,,5\n"Lee, Ann",12,a,S,\n"Li, Bo",13,b,,\n'
)
CENTER = (
    '"Last Name","First Name","Username","Student ID","Last Access","HW 01_attention [Total Pts: 5 Score] |123456"\n'
    '"Lee","Ann","alee","9","",""\n"Li","Bo","bli","8","",""\n'
)


@pytest.mark.parametrize("name", ["Ann Lee_12_assignsubmission_file_", "Ann Lee"])
def test_moodle_takes_points_and_pages(back, tmp_path, name):
    """Also of a student whom a folder of the instructor's own names: the worksheet tells the number."""
    ann, bo = handed_in(tmp_path, WORKSHEET, name)
    page = "feedback/ann/hw.html"
    tables, notes = back([entry(ann, page=page), entry(bo, points=-1)], WORKSHEET)
    assert (moodle_reads(tables[f"moodle_{ONE}.csv"]), notes) == ({12: 3.5, 13: 0}, [])
    with zipfile.ZipFile(tmp_path / UPLOAD / f"moodle_{ONE}_feedback.zip") as archive:
        assert [moodle_takes(one, {12, 13}) for one in archive.namelist()] == [(12, "hw.html")]


def test_another_assignment_of_moodle_has_other_numbers(back, tmp_path):
    first, absent = handed_in(tmp_path, WORKSHEET, "Ann Lee_12_assignsubmission_file")
    second, _ = handed_in(tmp_path, WORKSHEET, "Ann Lee_33_assignsubmission_file")
    assert first.student == second.student
    entries = [entry(first), entry(absent), entry(second, TWO, 4, "feedback/ann/two.html"), entry(absent, TWO)]
    tables, notes = back(entries, WORKSHEET)
    assert moodle_reads(tables[f"moodle_{ONE}.csv"]) == {12: 3.5, 13: 3.5}
    assert moodle_reads(tables[f"moodle_{TWO}.csv"]) == {33: 5}, "12 and 13 are other students there, or nobody"
    assert notes == [
        f"moodle_{TWO}.csv: the roster is the worksheet of another assignment; this one is in English, with those who "
        "handed in"
    ]
    with zipfile.ZipFile(tmp_path / UPLOAD / f"moodle_{TWO}_feedback.zip") as archive:
        assert [moodle_takes(one, {33}) for one in archive.namelist()] == [(33, "two.html")]
    tables, notes = back([entry(by_name("Bo_7_assignsubmission_file")), entry(second, TWO, 4)])
    assert [moodle_reads(tables[f"moodle_{one}.csv"]) for one in (ONE, TWO)] == [{7: 3.5}, {33: 5}]


@pytest.mark.parametrize("roster", [CANVAS, PARTED, SHORT, ""])
def test_canvas_takes_points_and_pages(back, tmp_path, roster):
    students = {"12": "Ann", "13": "Bo"}
    names = ["leeann_LATE_12_34_hw.ipynb", "libo_13_35_hw.ipynb"]
    people = handed_in(tmp_path, roster, *names) if roster else [by_name(name) for name in names]
    page = "feedback/{}/hw.html"
    entries = [entry(one, page=page.format(one.student)) for one in people]
    tables, _ = back([*entries, entry(people[0], TWO)], roster)
    column = "HW 01_attention (77)" if roster else ONE
    most, found = canvas_reads(tables["canvas.csv"], students)
    assert most == {column: "5", TWO: "5"}
    assert found == {"Ann": {column: "3.5", TWO: "3.5"}, "Bo": {column: "3.5", TWO: ""}}
    with zipfile.ZipFile(tmp_path / UPLOAD / f"canvas_{ONE}_feedback.zip") as archive:
        assert [canvas_takes(one, {"12": ["34"], "13": ["35"]}) for one in archive.namelist()] == ["12", "13"]


@pytest.mark.parametrize("roster", [CENTER, ""])
def test_blackboard_takes_points(back, tmp_path, roster):
    names = [f"HW_{user}_attempt_2026-01-31-10-00-00_hw.ipynb" for user in ("alee", "bli")]
    people = handed_in(tmp_path, roster, *names) if roster else [by_name(name) for name in names]
    tables, _ = back([entry(one) for one in people], roster)
    column = "HW 01_attention [Total Pts: 5 Score] |123456"
    found = blackboard_reads(tables["blackboard.csv"])
    assert found.keys() == {"alee", "bli"}
    assert found["alee"][column if roster else ONE] == "3.5"
