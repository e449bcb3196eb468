"""What goes back to the platforms: their own tables filled in, and pages under the names that they know."""

import zipfile

import pytest

from vitcourse.grading.grades import Row
from vitcourse.grading.hand_back import TOTALS, UPLOAD, hand_back
from vitcourse.grading.ledger import Entry
from vitcourse.grading.platforms import Person, by_name

ONE, TWO = "01_attention", "02_multi_head"
FILES = {
    "moodle": ["Ann Lee_12_assignsubmission_file", "Ann Lee_13_assignsubmission_file"],
    "canvas": ["leeann_LATE_12_34_hw.ipynb", "libo_13_35_hw.ipynb"],
    "blackboard": ["HW_alee_attempt_2026-01-31-10-00-00_hw.ipynb", "HW_bli_attempt_2026-01-31-10-00-00_hw.ipynb"],
}


def entry(person, lesson=ONE, points=2.5, page="", most=4.0):
    return Entry(
        lesson, person, [Row(person.student, "x.a", points, most, ""), Row(person.student, "x.b", 1, 1, "")], page=page
    )


def test_the_totals_have_a_row_for_each_student_and_columns_for_each_lesson(back):
    ann, bo = Person("ann", "Ann Lee", "canvas", "12", late=True), Person("bo")
    tables, notes = back([entry(ann), entry(ann, TWO, 0), entry(bo, points=4)])
    assert tables[TOTALS] == [
        ["student", "name", "id", "late", ONE, f"{ONE}_max", TWO, f"{TWO}_max", "total", "max"],
        ["ann", "Ann Lee", "12", f"{ONE} {TWO}", "3.5", "5", "1", "5", "4.5", "10"],
        ["bo", "", "", "", "5", "5", "", "", "5", "5"],
    ]
    assert notes == []


def test_no_spreadsheet_computes_what_a_student_is_called(back):
    tables, _ = back([entry(Person("=1+1", "@SUM(1)", "canvas", "12"))])
    assert tables[TOTALS][1][:3] == ["'=1+1", "'@SUM(1)", "12"]
    assert tables["canvas.csv"][2][:2] == ["'@SUM(1)", "12"]


def test_without_a_roster_each_platform_gets_a_table_of_its_own(back):
    entries = [entry(by_name(name)) for names in FILES.values() for name in names]
    tables, _ = back(entries)
    assert tables[f"moodle_{ONE}.csv"] == [
        ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"],
        ["Participant 12", "Ann Lee", "3.5", "5", "-"],
        ["Participant 13", "Ann Lee", "3.5", "5", "-"],
    ]
    assert tables["canvas.csv"] == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ONE],
        ["    Points Possible", "", "", "", "", "5"],
        ["leeann", "12", "", "", "", "3.5"],
        ["libo", "13", "", "", "", "3.5"],
    ]
    assert tables["blackboard.csv"] == [
        ["Last Name", "First Name", "Username", ONE],
        ["", "", "alee", "3.5"],
        ["", "", "bli", "3.5"],
    ]


WORKSHEET = "ID,Vollständiger Name,Status,Bewertung,Höchstbewertung,Zuletzt geändert\n{}"
ANN, BO = "Teilnehmer/in12,Ann Lee,-,-,{0},-\n", "Teilnehmer/in14,Bo Li,-,-,{0},-\n"


@pytest.mark.parametrize(("most", "grade", "notes"), [("5.00", "3.5", 0), ('"5,00"', "3,5", 0), ("100.00", "3.5", 1)])
def test_moodles_worksheet_is_filled_in_in_any_language(back, most, grade, notes):
    roster = WORKSHEET.format((ANN + BO).format(most))
    tables, said = back([entry(by_name(FILES["moodle"][0]))], roster)
    cell = most.strip('"')
    assert tables[f"moodle_{ONE}.csv"] == [
        ["ID", "Vollständiger Name", "Status", "Bewertung", "Höchstbewertung", "Zuletzt geändert"],
        ["Teilnehmer/in12", "Ann Lee", "-", grade, cell, "-"],
        ["Teilnehmer/in14", "Bo Li", "-", "-", cell, "-"],
    ]
    assert said == [f"Moodle's roster says at most 100 points; {ONE} has 5: set it so in Moodle"][:notes]


def test_canvas_own_export_gets_the_columns_of_the_lessons(back):
    roster = (
        f"Student,ID,SIS Login ID,Section,Quiz (70),HW {ONE} (77),Final Score\n    Points Possible,,,,1,30,\n"
        '"Lee, Ann",12,alee,S1,1,,\n"Li, Bo",13,bli,S1,1,,\n'
    )
    ann = by_name(FILES["canvas"][0])
    tables, _ = back([entry(ann), entry(ann, TWO)], roster)
    assert tables["canvas.csv"] == [
        ["Student", "ID", "SIS Login ID", "Section", f"HW {ONE} (77)", TWO],
        ["    Points Possible", "", "", "", "30", "5"],
        ["Lee, Ann", "12", "alee", "S1", "3.5", "3.5"],
        ["Li, Bo", "13", "bli", "S1", "", ""],
    ]


def test_blackboards_own_export_keeps_the_number_of_a_column(back):
    column = "Attention Exercises [Total Pts: 5 Score] |123"
    roster = f'"Last Name","First Name","Username","Student ID","{column}"\n"Lee","Ann","alee","9",""\n'
    tables, _ = back([entry(by_name(FILES["blackboard"][0]))], roster)
    assert tables["blackboard.csv"] == [
        ["Last Name", "First Name", "Username", "Student ID", column],
        ["Lee", "Ann", "alee", "9", "3.5"],
    ]


def test_a_table_that_cannot_be_written_does_not_cost_the_others(tmp_path):
    lost = tmp_path / UPLOAD / f"moodle_{ONE}.csv"
    lost.mkdir(parents=True)
    notes = hand_back(tmp_path, [entry(by_name(names[0])) for names in FILES.values()], None)
    assert notes == [f"{lost} could not be written (Is a directory)"]
    assert {file.name for file in (tmp_path / UPLOAD).iterdir()} >= {"canvas.csv", "blackboard.csv"}
    assert (tmp_path / TOTALS).is_file()


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("moodle", [f"Ann Lee_{number}_assignsubmission_file/hw.html" for number in (12, 13)]),
        ("canvas", ["leeann_LATE_12_34_hw.html", "libo_13_35_hw.html"]),
        ("blackboard", ["alee_hw.html", "bli_hw.html"]),
    ],
)
def test_pages_go_back_under_the_names_that_the_platform_knows(back, tmp_path, platform, names):
    people = [by_name(name) for name in FILES[platform]]
    back([entry(person, page=f"feedback/{person.student}/{ONE}/hw.html") for person in people])
    with zipfile.ZipFile(tmp_path / UPLOAD / f"{platform}_{ONE}_feedback.zip") as archive:
        assert archive.namelist() == names
        assert archive.read(names[0]).decode() == f"page of {people[0].student}"
    if platform != "blackboard":
        assert [by_name(name.split("/")[0]).id for name in names] == [person.id for person in people]
