"""What people hand in, in the forms that programs and learning platforms give to it: who it is from, and what it is."""

import io
import json
import os
import random
import stat
import zipfile

import nbformat
import pytest

from tests.grading.assignment import LESSON, NAME, answered, function
from vitcourse.grading import pieces
from vitcourse.grading.master import load_masters
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, UNREADABLE, collect


@pytest.fixture
def masters(course):
    return load_masters(course)


@pytest.fixture(scope="module")
def text(release):
    return nbformat.writes(answered(release))


@pytest.fixture(scope="module")
def bare(text):
    """The notebook without any mark of where it comes from."""
    cells = [{"cell_type": cell["cell_type"], "source": cell["source"]} for cell in json.loads(text)["cells"]]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 4, "metadata": {}})


@pytest.fixture
def put(tmp_path):
    def put(name, content=b""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


@pytest.fixture
def found(tmp_path, masters):
    """What was collected, by student; what is nobody's, under None."""

    def found():
        lines = []
        entries = collect([tmp_path], masters, say=lines.append)
        assert len({entry.student for entry in entries}) == len(entries)
        return {entry.student: entry for entry in entries} | {None: lines}

    return found


def zipped(members, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **{"compression": zipfile.ZIP_DEFLATED, **options}) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


NAMES = [
    "hand.IPYNB",
    "hand.ipynb.txt",
    "hand.ipynb.json",
    "hand.json",
    "hand.txt",
    "hand.ipynb.download",
    "hand.Ipynb.zip",
]


@pytest.mark.parametrize("where", ["", "anna/", "anna/week 1/"])
@pytest.mark.parametrize("name", [*NAMES, "hand (1).ipynb", "hand"])
def test_a_notebook_is_one_under_any_name(put, found, bare, where, name):
    put(where + name, bare)
    student = "anna" if where else "hand (1)" if "(1)" in name else "hand"
    entry = found()[student]
    assert (entry.lesson, entry.problem, entry.notes) == (LESSON, None, [])
    assert function("scores") in [cell.source for cell in entry.cells]


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_a_notebook_is_one_in_any_encoding(put, found, text, form):
    notebook = json.loads(text)
    notebook["cells"].append({"cell_type": "code", "source": "# größer"})
    put("anna/hw.txt", ("\r\n" + json.dumps(notebook, ensure_ascii=False)).encode(form))
    assert found()["anna"].cells[-1].source == "# größer"


@pytest.mark.parametrize("where", ["", "anna/", "anna/week 1/"])
@pytest.mark.parametrize("name", ["hand.zip", "hand.ipynb", "hand"])
def test_a_zip_of_a_notebook_is_opened(put, found, text, where, name):
    members = {"__MACOSX/._hw.ipynb": "x", "hw/": "", "hw/notes.pdf": "%PDF-1.7", "hw/hw.ipynb": text}
    put(where + name, zipped(members))
    entry = found()["anna" if where else "hand"]
    assert (entry.lesson, entry.problem) == (LESSON, None)
    assert entry.notes == [f"{where.removeprefix('anna/')}{name}/hw/notes.pdf (a PDF) was passed over"]


def test_a_zip_made_on_windows_is_opened(put, found, text):
    put("anna.zip", zipped({"hw\\hw.ipynb": text}).replace(b"hw/hw.ipynb", b"hw\\hw.ipynb"))
    assert found()["anna"].problem is None


def link():
    info = zipfile.ZipInfo("hw.ipynb")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def encrypted(data):
    """The mark of an encrypted file, in both places where a zip has it."""
    data = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    return bytes(data)


BOMB = {f"{n}.txt": b"{" + b" " * 2**20 for n in range(4)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda _: zipped({"../../hw.ipynb": "{}"}), "its path leads out of the zip"),
        (lambda _: zipped({link(): "/etc/passwd"}), "it is a link"),
        (lambda text: encrypted(zipped({"hw.ipynb": text})), "an encrypted zip"),
        (lambda text: zipped({"hw.ipynb": text})[:-30], "a damaged zip"),
        (lambda text: zipped({"inner.zip": zipped({"hw.ipynb": text})}), "a zip inside a zip"),
        (lambda text: zipped({"hw.ipynb": text}, compression=zipfile.ZIP_BZIP2), "packed in a way that is not read"),
        (lambda _: zipped({}), "a zip with no file in it"),
        (lambda _: zipped({f"{n}": "" for n in range(1001)}), "a zip of 1,001 files, more than 1,000"),
        (lambda _: zipped({f"{n:0100}": "" for n in range(9000)}), "a zip of too many files"),
        (lambda _: zipped(BOMB), "the zip holds more than 3 MB"),
        (lambda _: zipped({"hw.docx": "x"}), "a Word document"),
    ],
)
def test_a_zip_that_gives_no_notebook_says_why(put, found, text, monkeypatch, content, words):
    monkeypatch.setattr(pieces, "LARGEST", 3 * 2**20)
    put("anna/hw.zip", content(text))
    entry = found()["anna"]
    assert entry.problem in (NO_NOTEBOOK, UNREADABLE)
    assert words in entry.detail


def test_a_zip_may_hold_a_large_notebook(put, found, text):
    """Larger, packed, than a list of files may be."""
    noise = random.Random(0).randbytes(2 * 2**20).hex()
    put("anna/hw.zip", zipped({"hw.ipynb": text.replace("# Exercises", f"{noise} # Exercises", 1)}))
    assert (found()["anna"].problem, found()["anna"].notes) == (None, [])


def test_a_zip_is_read_to_no_more_than_its_share(put, found, text, monkeypatch):
    """The notebook first, whatever else is in it."""
    monkeypatch.setattr(pieces, "LARGEST", 3 * 2**20)
    put("anna/hw.zip", zipped({**BOMB, "z.ipynb": text}))
    entry = found()["anna"]
    assert entry.problem is None
    assert "the zip holds more than 3 MB" in entry.notes[0]


ATTEMPT = "gradebook_C1_HW1_alee_attempt_2026-01-31-10-00-00"
PLATFORMS = {
    "Ann Lee_1234567_assignsubmission_file_/hw.ipynb": "Ann Lee_1234567",
    "Ann Lee_1234567_assignsubmission_file/hw.ipynb": "Ann Lee_1234567",
    "Ann Lee_1234567_assignsubmission_file_hw.ipynb": "Ann Lee_1234567",
    "leeann_LATE_12345_67890_hw1.ipynb": "leeann_12345",
    "leeann_12345_67890_hw1-2.ipynb": "leeann_12345",
    "anon_aB3dE_67890_hw1.ipynb": "anon_aB3dE",
    f"{ATTEMPT}/hw.ipynb": "alee",
    f"{ATTEMPT}_hw.ipynb": "alee",
}


@pytest.mark.parametrize(("name", "student"), PLATFORMS.items())
def test_folders_and_files_of_learning_platforms_are_students(put, found, text, bare, name, student):
    put(name, bare)
    assert found()[student].problem is None
    put("zed/hw.ipynb", text)
    put(name, "%PDF-1.7")
    put(name.replace(".ipynb", ".pdf"), "%PDF-1.7")
    assert "zed" in found()
    assert found()[student].problem in (NO_NOTEBOOK, UNREADABLE)


def test_a_file_that_a_platform_puts_beside_the_notebook_is_no_student(put, found, text):
    other = ATTEMPT.replace("alee", "bob")
    put(f"{ATTEMPT}.txt", "Name: Ann Lee (alee)\r\nAssignment: HW1")
    put(f"{ATTEMPT}_hw.ipynb", text)
    put(f"{other}.txt", "Name: Bob (bob)")
    entries = found()
    assert (entries["alee"].notes, entries["alee"].person.name) == ([], "Ann Lee")
    assert (entries["bob"].problem, entries["bob"].person.name) == (MISSING, "Bob")
    assert len(entries) == 3


def test_a_class_that_is_still_packed_is_no_student(put, found, text):
    put("anna/hw.ipynb", text)
    put("class.zip", zipped({"anna/hw.ipynb": text}))
    put("moodle.zip", zipped({f"{name}_123_assignsubmission_file_/hw.ipynb": text for name in ("Ann", "Bob")}))
    assert found().keys() == {"anna", None}
    assert found()[None] == [
        "passed over, at the top of the folder: class.zip (a zip of the folders beside it), "
        "moodle.zip (a zip of the work of 2 students: name it itself)"
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("hw1.pdf", b"%PDF-1.7", "hw1.pdf (a PDF)"),
        ("hw1.py", "import torch", "hw1.py (a Python program)"),
        ("hw1.docx", zipped({"[Content_Types].xml": "x"}), "hw1.docx (a Word document)"),
        ("hw1.html", "\n<!DOCTYPE html>\n<html>", "hw1.html (a web page)"),
        ("hw1.ipynb.html", "<?xml?><html>", "hw1.ipynb.html (a web page)"),
        ("hw1", b"\x89PNG\r\n", "hw1 (a PNG picture)"),
        ("hw1.jpg", b"\xff\xd8\xff\xe0", "hw1.jpg (a JPEG picture)"),
        ("hw1.json", '{"a": 1}', "hw1.json (it has no cells)"),
        ("hw1.rar", b"Rar!\x1a", "hw1.rar (a RAR archive)"),
        ("hw1.txt", b"", "hw1.txt (an empty file)"),
        ("hw1.rtf", b"{\\rtf1 text}", "hw1.rtf (an RTF document)"),
        ("a\nb.xyz", b"abc", "a b.xyz (of another kind)"),
        (
            "own.ipynb",
            '{"cells": [{"cell_type": "code", "source": "x = 1"}]}',
            "own.ipynb (a notebook of something else)",
        ),
        (
            "attention.ipynb",
            json.dumps({"cells": [], "metadata": {"vitcourse": {"lesson": LESSON, "kind": "lesson"}}}),
            "attention.ipynb (a lesson of the course, not its exercises)",
        ),
    ],
)
def test_what_is_no_notebook_of_an_assignment_is_named(put, found, text, name, content, words):
    put(f"anna/{name}", content)
    put("ben/hw.ipynb", text)
    put(f"ben/{name}", content)
    entries = found()
    assert entries["anna"].problem == NO_NOTEBOOK
    assert entries["anna"].detail == f"1 file that is no notebook of an assignment: {words}"
    assert entries["ben"].problem is None
    assert entries["ben"].notes == [f"{words} was passed over"]


def test_at_most_five_are_named_and_all_are_counted(put, found, text):
    put("ben/hw.ipynb", text)
    for number in range(8):
        put(f"anna/{number}.pdf", "%PDF")
        put(f"{number}.pdf", "%PDF")
    names = ", ".join(f"{number}.pdf (a PDF)" for number in range(5))
    assert found()["anna"].detail == f"8 files that are no notebook of an assignment: {names} and 3 more"
    assert found()[None] == [f"passed over, at the top of the folder: {names} and 3 more"]


def test_nothing_was_handed_in_where_nothing_is(put, found, text):
    put("zed/hw.ipynb", text)
    put("anna/.DS_Store", "x")
    put("ben/__MACOSX/._hw.ipynb", "x")
    put("carl/sub/x")
    (put("dora/x").parent / "x").unlink()
    entries = found()
    assert [name for name, entry in entries.items() if name and entry.problem == MISSING] == ["anna", "ben", "dora"]
    assert "carl" in entries


def test_a_copy_that_a_program_keeps_counts_only_where_there_is_no_other(put, found, text):
    kept = ".ipynb_checkpoints/hw-checkpoint.ipynb"
    put("anna/hw.ipynb", text)
    put(f"ben/{kept}", text)
    os.utime(put(f"anna/{kept}", text), (2e9, 2e9))
    assert (found()["anna"].name, found()["anna"].notes) == ("hw.ipynb", [])
    assert found()["ben"].name == kept


def test_some_functions_of_a_lesson_do_not_push_a_marked_notebook_aside(put, found, text):
    cells = [{"cell_type": "code", "source": function(name)} for name in ("scores", "cost")]
    for name in ("anna/play.ipynb", "ben/play.ipynb"):
        os.utime(put(name, json.dumps({"cells": cells})), (2e9, 2e9))
    put("anna/hw.ipynb", text)
    entries = found()
    assert (entries["anna"].name, entries["anna"].notes) == ("hw.ipynb", [])
    assert [entry.name for entry in entries["anna"].rivals] == ["play.ipynb"]
    assert (entries["ben"].name, entries["ben"].problem) == ("play.ipynb", None)


@pytest.mark.parametrize("name", ["..ipynb", ". .ipynb", " ..ipynb", "a\nb.ipynb", "=1+1.ipynb", f"{NAME}.ipynb"])
def test_a_students_name_is_a_name_on_one_line(put, found, text, name):
    put(f"x{name}" if name.startswith(".") else name, text)
    (student,) = [student for student in found() if student]
    assert student.strip(". ")
    assert "\n" not in student
    assert "/" not in student


def test_a_folder_of_very_many_files_is_looked_at_from_the_top(put, found, text, monkeypatch):
    monkeypatch.setattr(pieces, "FILES", 3)
    for number in range(5):
        put(f"anna/deep/{number}.txt", "x")
    put("anna/hw.ipynb", text)
    assert found()["anna"].problem is None
    assert "the files below (only the first 3 files are looked at)" in found()["anna"].notes[0]


def test_what_is_beside_the_students_is_no_student(put, found, text, tmp_path, monkeypatch):
    """The course itself, the environment that it runs in, a folder of grades, a link."""
    put("anna/hw.ipynb", text)
    monkeypatch.setattr("vitcourse.__file__", str(put("clone/vitcourse/__init__.py")))
    put("clone/lessons/01_attention/attention_exercises.ipynb", text)
    put("env/pyvenv.cfg")
    put("grades/gradebook.db")
    (tmp_path / "ben").symlink_to(tmp_path / "anna", target_is_directory=True)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert found().keys() == {"anna", None}
    assert found()[None] == [
        "passed over, at the top of the folder: ben (a link to a folder), clone (the course itself), "
        "env (a Python environment), grades (a folder of grades), loop (it is a link)"
    ]
