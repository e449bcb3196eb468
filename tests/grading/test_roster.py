"""The list of a class, in the forms that instructors have, and who of it has handed in."""

from pathlib import Path

import pytest

from vitcourse.errors import DataError
from vitcourse.grading.platforms import Person, by_name
from vitcourse.grading.roster import enter, read_roster
from vitcourse.grading.students import Student

WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade)\n"
    "Participant 12,Ann Lee,a@x,Submitted,,100.00,-\nParticipant 13,Bo Li,b@x,No submission,,100.00,-\n"
)
GERMAN = WORKSHEET.replace("Identifier,Full name", "ID,Vollständiger Name").replace("Participant ", "Teilnehmer/in")
EXPORT = (
    "Student,ID,SIS User ID,SIS Login ID,Section,HW 01_attention (77)\n    Points Possible,,,,,30\n"
    '"Lee, Ann",12,u1,alee,S1,\n"Li, Bo",13,u2,bli,S1,\n'
)
CENTER = '"Last Name","First Name","Username","Student ID"\n"Lee","Ann","12","9"\n"Li","Bo","13","8"\n'


@pytest.fixture
def read(tmp_path):
    def read(content):
        (tmp_path / "roster.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        return read_roster(tmp_path / "roster.csv")

    return read


def student(name):
    return Student(by_name(name) or Person(name), Path(name), name)


@pytest.mark.parametrize(
    ("content", "platform", "students"),
    [
        (WORKSHEET, "moodle", ["Ann Lee_12", "Bo Li_13"]),
        (GERMAN, "moodle", ["Ann Lee_12", "Bo Li_13"]),
        (EXPORT, "canvas", ["leeann_12", "libo_13"]),
        (CENTER, "blackboard", ["12", "13"]),
        (CENTER.replace(",", "\t").encode("utf-16"), "blackboard", ["12", "13"]),
        ("\ufeffName;E-Mail\r\nAnn Lee;a\r\nBo Li;b\r\n", "", ["Ann Lee", "Bo Li"]),
        ("id,name\n12,Ann Lee\n13,Bo Li\n\n", "", ["12", "13"]),
        ("name\nJörg\n".encode("cp1252"), "", ["Jörg"]),
        ("id,name\n../../x,Ann\n", "", [".._.._x"]),
    ],
)
def test_every_form_of_a_roster_is_read(read, content, platform, students):
    roster = read(content)
    assert roster.platform == platform
    assert [person.student for person in roster.people.values()] == students


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "roster.csv: it is empty"),
        (
            "a,b\n1,2\n",
            "roster.csv, row 1: no column says who a student is (such as student, id, name); there are: a, b",
        ),
        ("id\n", "roster.csv: no student in it"),
        ("id,name\n7,Ann\n7,Bo\n", "roster.csv, row 2: '7' stands in it 2 times"),
        ("id\n..\n", "roster.csv, row 2: no student is called '..'"),
        (b"PK\x03\x04\0\0", "roster.csv: no table of text"),
        ("id\n" + "x" * 200_000, "roster.csv: no table of text (field larger than field limit"),
    ],
)
def test_a_roster_that_is_none_is_named_with_its_row(read, content, words):
    with pytest.raises(DataError) as raised:
        read(content)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [WORKSHEET, EXPORT, CENTER, "number,name\n12,Ann Lee\n13,Bo Li\n"])
@pytest.mark.parametrize(
    "name",
    ["Ann Lee_12_assignsubmission_file", "leeann_12_34_hw.ipynb", "HW_12_attempt_2026-01-31-10-00-00", "12", "Ann Lee"],
)
def test_who_has_handed_in_is_found_by_id_or_name(read, content, name):
    roster = read(content)
    if "attempt" in name and roster.platform in ("moodle", "canvas"):
        pytest.skip("a user's name is no number of another platform")
    (found,), missing, lines = enter([student(name)], roster)
    assert found.name == next(iter(roster.people.values())).student
    assert [len(missing), lines] == [1, []]
    assert missing[0].person.name == "Bo Li" or missing[0].person.name == "Li, Bo"


def test_a_number_of_another_platform_is_nobodys(read):
    roster = read("number,name\n12,Bo Li\n14,Ann Lee\n")
    (found,), _, _ = enter([student("Ann Lee_12_assignsubmission_file")], roster)
    assert found.name == "14"


def test_two_students_of_one_name_stay_apart(read):
    both = [student(f"Ann Lee_{number}_assignsubmission_file") for number in (1, 2)]
    found, missing, lines = enter([*both, student("Bo Li")], read("name\nAnn Lee\nBo Li\n"))
    assert [one.name for one in found] == ["Ann Lee_1", "Ann Lee_2", "Bo Li"]
    assert [one.name for one in missing] == ["Ann Lee"]
    assert lines == ["the roster does not tell who of several students of one name it is: Ann Lee_1, Ann Lee_2"]


def test_a_number_and_a_name_go_before_a_name(read):
    roster = read("id,name\n12,Ann Lee\n13,Bo Li\n")
    there, absent, lines = enter([student("Ann Lee_12_assignsubmission_file"), student("Ann Lee")], roster)
    assert [one.name for one in there] == ["12", "Ann Lee"]
    assert [one.name for one in absent] == ["13"]
    assert lines == ["the roster does not tell who of several students of one name it is: Ann Lee"]


def test_who_is_not_in_the_roster_is_named_and_stays(read):
    found, _, lines = enter([student("zed"), student("Ann Lee")], read(WORKSHEET))
    assert [one.name for one in found] == ["Ann Lee_12", "zed"]
    assert lines == ["handed in, but not in the roster: zed"]


def test_a_roster_of_another_class_is_refused(read):
    with pytest.raises(DataError, match=r"of those who handed in \(zed\) none stands in it \(Ann Lee_12, Bo Li_13\)"):
        enter([student("zed")], read(WORKSHEET))
