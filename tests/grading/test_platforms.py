"""The zip in which a learning platform packs a class is read as it is, and whatever lies in it costs its own row."""

import io
import stat
import zipfile
from dataclasses import replace

import nbformat
import pytest

from tests.grading.assignment import LESSON, answered
from vitcourse.errors import InputError
from vitcourse.grading import pieces, places
from vitcourse.grading.kinds import OLD_OFFICE
from vitcourse.grading.master import load_masters
from vitcourse.grading.platforms import BLACKBOARD, CANVAS, MOODLE, by_name
from vitcourse.grading.roster import read_roster
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, UNREADABLE, collect

MOODLES = "Ann Lee_{}_assignsubmission_file"


@pytest.fixture(scope="module")
def text(release):
    return nbformat.writes(answered(release))


def zip_of(file, members):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return file


@pytest.fixture
def found(tmp_path, course):
    """What is collected from a zip, by student."""

    def found(members, name="class.zip", change=lambda data: data):
        (tmp_path / name).write_bytes(change(zip_of(io.BytesIO(), members).getvalue()))
        entries = collect([tmp_path / name], load_masters(course))
        assert len({entry.student for entry in entries}) == len(entries)
        return {entry.student: entry for entry in entries}

    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann Lee_12_assignsubmission_file_", (MOODLE, "Ann Lee_12", "Ann Lee", "12", False, "")),
        ("Participant 12_12_assignsubmission_file", (MOODLE, "Participant 12_12", "Participant 12", "12", False, "")),
        ("leeann_12_34_a_b.ipynb", (CANVAS, "leeann_12", "leeann", "12", False, "")),
        ("leeann_LATE_12_34_hw.ipynb", (CANVAS, "leeann_12", "leeann", "12", True, "")),
        ("leeann_12_text.html", (CANVAS, "leeann_12", "leeann", "12", False, "")),
        ("LATE_anon_aB3dE_34_hw.ipynb", (CANVAS, "anon_aB3dE", "", "anon_aB3dE", True, "")),
        ("HW_1_al_attempt_2026-01-31-10-05-00_hw.ipynb", (BLACKBOARD, "al", "", "al", False, "2026-01-31 10:05:00")),
    ],
)
def test_a_name_tells_whose_it_is(name, expected):
    person = by_name(name)
    assert (person.platform, person.student, person.name, person.id, person.late, person.time) == expected


@pytest.mark.parametrize("name", ["anna", "anna_hw_2.ipynb", "attention_exercises (1).ipynb", "a_1_assignfeedback_x"])
def test_other_names_are_no_platforms(name):
    assert by_name(name) is None


@pytest.mark.parametrize("above", ["", "HW 1/", "a/b/"])
def test_a_class_is_read_from_its_zip(found, text, above):
    members = {
        f"{MOODLES.format(1)}/hw.ipynb": text,
        f"{MOODLES.format(2)}/deep/hw.ipynb": text,
        "leeann_LATE_12_34_hw.ipynb": text,
        "leeann_12_35_notes.pdf": "%PDF",
        "HW_al_attempt_2026-01-31-10-00-00.txt": "Name: Al Gore (al)\r\n",
        "HW_al_attempt_2026-01-31-10-00-00_hw.ipynb": "{",
        "HW_al_attempt_2026-02-01-10-00-00_hw.ipynb": text,
        "HW_bo_attempt_2026-01-31-10-00-00.txt": "Name: Bo Li (bo)\r\n",
    }
    entries = found({above + name: content for name, content in members.items()})
    assert {name: entry.problem for name, entry in entries.items()} == {
        "Ann Lee_1": None,
        "Ann Lee_2": None,
        "leeann_12": None,
        "al": None,
        "bo": MISSING,
    }
    assert [entry.student for entry in entries.values() if entry.person.late] == ["leeann_12"]
    assert (entries["al"].person.name, entries["al"].person.time) == ("Al Gore", "2026-02-01 10:00:00")


OTHER = "02_other"
NEITHER, NO_FIRST, NO_OTHER = ["", ""], f"Nothing was handed in for {LESSON}.", f"Nothing was handed in for {OTHER}."


@pytest.mark.parametrize(
    ("one", "two", "lesson", "roster", "students"),
    [
        ([1], [7], OTHER, "", {"Ann Lee_1": ["1", "7"]}),
        ([1], [7], OTHER, "name\nAnn Lee\nBo Li\n", {"Ann Lee": ["1", "7"], "Bo Li": NEITHER}),
        ([1], [7], LESSON, "", {"Ann Lee_1": ["1"], "Ann Lee_7": ["7"]}),
        ([1, 2], [7], OTHER, "", {"Ann Lee_1": ["1"], "Ann Lee_2": ["2"], "Ann Lee_7": ["7"]}),
        (
            [1],
            [7],
            OTHER,
            "id,name,number\n801,Ann Lee,1\n802,Ann Lee,2\n",
            {"801": ["1", NO_OTHER], "802": NEITHER, "Ann Lee_7": [NO_FIRST, "7"]},
        ),
    ],
)
def test_moodle_numbers_a_student_anew_in_each_assignment(tmp_path, course, text, one, two, lesson, roster, students):
    """Another lesson from another zip is the same student's, if nobody else is called so."""
    masters = load_masters(course)
    masters[OTHER] = replace(masters[LESSON], lesson=OTHER)
    work = [(tmp_path / "1.zip", one, text), (tmp_path / "2.zip", two, text.replace(LESSON, lesson))]
    for file, numbers, content in work:
        zip_of(file, {f"{MOODLES.format(number)}/hw.ipynb": content for number in numbers})
    (tmp_path / "class.csv").write_text(roster)
    people = read_roster(tmp_path / "class.csv") if roster else None
    found = {}
    for entry in collect([file for file, _, _ in work], masters, roster=people):
        found.setdefault(entry.student, []).append(entry.detail if entry.problem else entry.person.id)
    assert found == students


def test_a_folder_of_the_instructors_own_is_no_namesake(tmp_path, course, text):
    (tmp_path / "in" / "ann lee").mkdir(parents=True)
    (tmp_path / "in" / "ann lee" / "hw.ipynb").write_text("{")
    file = zip_of(tmp_path / "1.zip", {f"{MOODLES.format(1)}/hw.ipynb": text})
    assert [one.student for one in collect([file, tmp_path / "in"], load_masters(course))] == ["Ann Lee_1", "ann lee"]


def test_of_several_attempts_the_last_counts_whatever_the_files_say(found, text):
    entries = found({f"HW_al_attempt_2026-01-{day}-10-00-00_hw.ipynb": text for day in (30, 31, 29)})
    assert "2026-01-31" in entries["al"].name


def link():
    info = zipfile.ZipInfo(f"{MOODLES.format(1)}/hw.ipynb")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def zipped(content):
    return zip_of(io.BytesIO(), {"hw.ipynb": content}).getvalue()


def locked(data):
    """The mark of an encrypted file, in both places where a zip has it."""
    return data.replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\1").replace(b"\x14\x03\x14\0\0", b"\x14\x03\x14\0\1")


LOCKED = b"%PDF-1.7\n" + b"x" * 2000 + b"\ntrailer << /Root 1 0 R /Encrypt 7 0 R >>\n%%EOF"
BOMB = b"{" + b" " * (4 * 2**20)


@pytest.mark.parametrize(
    ("members", "problem", "words"),
    [
        (lambda _: {f"{MOODLES.format(1)}/hw.ipynb": BOMB}, UNREADABLE, "it has more than 3 MB"),
        (lambda _: {f"{MOODLES.format(1)}/hw.zip": zipped(BOMB)}, UNREADABLE, "the zip holds more than 3 MB"),
        (lambda text: {f"../../etc/{MOODLES.format(1)}/hw.ipynb": text}, UNREADABLE, "its path leads out of the zip"),
        (lambda _: {link(): "/etc/passwd"}, UNREADABLE, "it is a link"),
        (lambda _: {f"{MOODLES.format(1)}/hw.pdf": LOCKED}, NO_NOTEBOOK, "hw.pdf (an encrypted PDF)"),
        (lambda _: {f"{MOODLES.format(1)}/hw.ipynb": LOCKED}, UNREADABLE, "it is an encrypted PDF"),
        (lambda _: {f"{MOODLES.format(1)}/hw.zip": locked(zipped("{"))}, NO_NOTEBOOK, "hw.zip (an encrypted zip)"),
        (lambda _: {f"{MOODLES.format(1)}/hw.ipynb": locked(zipped("{"))}, UNREADABLE, "it is an encrypted zip"),
        (lambda _: {f"{MOODLES.format(1)}/hw.docx": OLD_OFFICE}, NO_NOTEBOOK, "(a Word document with a password)"),
        (lambda _: {f"{MOODLES.format(1)}/hw.ipynb.gpg": b"\x85"}, NO_NOTEBOOK, "hw.ipynb.gpg (an encrypted file)"),
        (lambda _: {f"{MOODLES.format(1)}/": ""}, MISSING, ""),
        (lambda text: {f"{MOODLES.format(1)}/hw.zip": zipped(text)}, None, ""),
    ],
)
def test_what_one_has_packed_costs_one_row(found, text, monkeypatch, members, problem, words):
    monkeypatch.setattr(pieces, "LARGEST", 3 * 2**20)
    entries = found({**members(text), f"{MOODLES.format(2)}/hw.ipynb": text})
    assert (entries["Ann Lee_1"].problem, entries["Ann Lee_2"].problem) == (problem, None)
    assert words in entries["Ann Lee_1"].detail


def test_a_damaged_file_costs_one_row(found, text):
    def damaged(data):
        at = data.index(b"hw.ipynb") + 40
        return data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]

    entries = found({f"{MOODLES.format(number)}/hw.ipynb": text for number in (1, 2)}, change=damaged)
    assert (entries["Ann Lee_1"].problem, entries["Ann Lee_2"].problem) == (UNREADABLE, None)
    assert "damaged" in entries["Ann Lee_1"].detail


@pytest.mark.parametrize(
    ("members", "change", "words"),
    [
        ({"a": "x"}, lambda data: data[:-30], "neither a folder nor a zip that can be read"),
        ({"a": "x"}, lambda _: b"text", "neither a folder nor a zip that can be read"),
        ({f"{number}": "" for number in range(9)}, lambda data: data, "a zip of 9 files, more than 8"),
        ({"a": "x" * 99}, locked, "an encrypted zip"),
        ({}, lambda data: data, "no submissions in it"),
    ],
)
def test_a_zip_that_is_none_is_named(found, monkeypatch, members, change, words):
    monkeypatch.setattr(places, "MEMBERS", 8)
    with pytest.raises(InputError, match=words):
        found(members, change=change)


def test_of_two_folders_that_look_alike_both_are_students(tmp_path, course, text):
    for name in ("Ann\nLee", "Ann Lee", "Ann\tLee"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hw.ipynb").write_text(text)
    entries = collect([tmp_path], load_masters(course))
    assert [entry.student for entry in entries] == ["Ann Lee", "Ann Lee (2)", "Ann Lee (3)"]
    assert len({entry.path for entry in entries}) == 3


def test_a_very_large_class_is_read(found, text):
    entries = found({f"s{number:05}/": "" for number in range(10_000)} | {"s00000/hw.ipynb": text})
    assert len(entries) == 10_000
    assert entries["s00000"].problem is None
