"""A class graded in steps: one student again, what came later, what is left, in parts on several machines."""

import csv
import json
import os
import shutil
import sys

import nbformat
import pytest

from tests.grading.assignment import LESSON, answered
from vitcourse.errors import InputError
from vitcourse.grading import grades
from vitcourse.grading.choose import Choice, share
from vitcourse.grading.grader import Graded, Grader
from vitcourse.grading.ledger import Ledger, fingerprint
from vitcourse.grading.merge import merge
from vitcourse.grading.settings import COURSE_ID

UNSCALED = "return query @ key.transpose(-2, -1)"
NAMES = ("anna", "ben", "carl", "dora")


@pytest.fixture
def folder(release, tmp_path):
    root = tmp_path / "in"
    for name in NAMES:
        (root / name).mkdir(parents=True)
        nbformat.write(answered(release), root / name / "hw.ipynb")
        os.utime(root / name / "hw.ipynb", (1e9, 1e9))
    return root


@pytest.fixture
def count(monkeypatch):
    """Grading that only counts: the first point of a student says how many were graded before. Gives their names."""
    graded = []

    def grade(self, submission):
        master = self.masters[submission.lesson]
        graded.append(submission.student)
        rows = grades.zeros(master, submission.student, f"{len(graded)}")
        return Graded(rows, [f"{submission.student}: seed {self.seed}"])

    monkeypatch.setattr(Grader, "grade", grade)
    # In this process, so that the list is seen.
    monkeypatch.setattr("vitcourse.grading.jobs.sys.platform", "darwin")
    return graded


@pytest.fixture
def run(quick, course, folder, tmp_path):
    def run(seed=None, out="g.csv", places=None, **kwargs):
        graded = quick(places or folder, seed, tmp_path / out, course=course, **kwargs)
        with (tmp_path / out).open(newline="") as file:
            return graded, {row["student"]: row["misconception"] for row in csv.DictReader(file)}

    return run


def test_one_is_graded_again_and_the_others_stay(run, count, folder):
    _, before = run("s")
    graded, after = run(choice=Choice(students=("BEN",)))
    assert before | {"ben": "5"} == after
    assert graded.problems == ["ben: seed s"]
    for name in ("anna", "carl", "dora"):
        shutil.rmtree(folder / name)
    assert run(choice=Choice(students=("ben",)))[1] == after | {"ben": "6"}
    with pytest.raises(InputError, match="--student zed: nobody is called so; there are: ben"):
        run(choice=Choice(students=("zed",)))


def test_what_was_handed_in_since_is_graded(run, count, folder):
    run("s")
    os.utime(folder / "carl" / "hw.ipynb", (2e9, 2e9))
    assert run(choice=Choice(since="2020-01-31 18:00"))[1] == {"anna": "1", "ben": "2", "carl": "5", "dora": "4"}
    with pytest.raises(InputError, match="--since soon: a time is written as 2026-01-31"):
        run(choice=Choice(since="soon"))


def test_a_grading_that_was_broken_off_goes_on(run, count, folder, release, tmp_path):
    def progress(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("s", progress=progress)
    with (tmp_path / "g" / "graded.jsonl").open("a") as file:
        file.write('{"lesson": "cut o')
    graded, table = run(choice=Choice(resume=True))
    assert (graded.problems, count) == (["carl: seed s", "dora: seed s"], list(NAMES))
    assert table == {"anna": "1", "ben": "2", "carl": "3", "dora": "4"}
    assert run(choice=Choice(resume=True))[0].problems == []
    nbformat.write(answered(release, scores=UNSCALED), folder / "anna" / "hw.ipynb")
    assert run(choice=Choice(resume=True))[1] == table | {"anna": "5"}


def test_a_changed_policy_or_rubric_is_seen_by_those_whom_it_touches(run, count, tmp_path):
    late, rubric = tmp_path / "late.toml", tmp_path / "rubric.toml"
    again = {"late": late, "choice": Choice(resume=True)}

    def policy(percent, hour):
        late.write_text(
            f"percent_per_day = {percent}\n[deadlines]\n{LESSON} = 2026-11-20\n"
            f"[handed_in.ben]\n{LESSON} = 2026-11-21T{hour}:00:00\n[handed_in.carl]\n{LESSON} = 2026-11-19"
        )

    policy(10, "08")
    run("s", late=late)
    assert run(**again)[0].problems == []
    policy(20, "08")
    assert run(**again)[0].problems == ["ben: seed s"]
    policy(20, "09")
    assert run(**again)[0].problems == ["ben: seed s"]
    assert run(choice=Choice(resume=True))[0].problems == ["ben: seed s"], "the policy is left out"
    rubric.write_text('["attention.scores"]\nnot-scaled = 2')
    assert len(run(rubric=rubric, choice=Choice(resume=True))[0].problems) == len(NAMES)


def test_all_begins_anew_without_a_choice(run, count):
    run("s")
    assert run("other")[1] == {"anna": "5", "ben": "6", "carl": "7", "dora": "8"}


def test_the_seed_is_kept_for_its_owner_and_used_again(run, count, tmp_path):
    with pytest.raises(InputError, match="Missing option '--seed'"):
        run()
    assert not (tmp_path / "g").exists()
    run("three kites")
    kept = tmp_path / "g" / "seed.txt"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("three kites", 0o600)
    entries = Ledger(tmp_path / "g").all()
    assert {entry.seed for entry in entries} == {fingerprint("three kites")} != {fingerprint("three kite")}
    assert all("torch" in entry.versions and entry.when and entry.digest for entry in entries)
    assert "three kites" not in (tmp_path / "g" / "graded.jsonl").read_text().replace("seed three kites", "")
    with pytest.raises(InputError, match="the others were graded with another seed"):
        run("other", choice=Choice(resume=True))


def test_everybody_in_the_roster_has_a_row_and_the_roster_is_kept(run, count, tmp_path):
    (tmp_path / "class.csv").write_text("name\n" + "\n".join([*NAMES, "zed", "=1+1"]))
    _, table = run("s", roster=tmp_path / "class.csv")
    assert set(table) == {*NAMES, "zed", "'=1+1"}
    (tmp_path / "class.csv").unlink()
    assert set(run(choice=Choice(resume=True))[1]) == set(table)
    assert (tmp_path / "g" / "totals.csv").read_text().count("\n") == 7


def test_a_page_calls_a_student_as_the_roster_does(run, tmp_path):
    (tmp_path / "class.csv").write_text('id,name\n803,"O\'Neil, Änne"\n804,\n')
    for student in ("803", "804"):
        (tmp_path / "scans" / student).mkdir(parents=True)
    graded, _ = run("s", places=tmp_path / "scans", roster=tmp_path / "class.csv")
    titles = [page.read_text().partition("</title>")[0].rpartition(": ")[2] for page in graded.pages]
    assert titles == ["feedback for O&#39;Neil, Änne", "feedback for 804"]


@pytest.mark.parametrize(("text", "words"), [("0/3", "--part 0/3"), ("4/3", "a part is written"), ("x", "a part is")])
def test_a_part_is_a_part(text, words):
    assert share("3/8") == (3, 8)
    with pytest.raises(InputError, match=words):
        share(text)


def test_parts_make_a_class(run, count, folder, tmp_path):
    """Each student once, whatever the number of parts."""
    for number in range(1, 6):
        run("s", f"p{number}.csv", choice=Choice(part=(number, 5)))
    assert sorted(count) == list(NAMES)


def test_parts_are_joined_with_gradebook_and_pages(run, quick, course, folder, release, tmp_path):
    """With the gradebook's points, those by hand too; the table is that of a grading in one."""
    from nbgrader.api import Gradebook

    nbformat.write(answered(release, scores=UNSCALED), folder / "ben" / "hw.ipynb")
    for name in ("carl", "dora"):
        shutil.rmtree(folder / name)
    (tmp_path / "class.csv").write_text("id,name\nanna,Anna\nben,Ben\nzed,Zed Young\n")
    run("s", "whole.csv", roster=tmp_path / "class.csv")
    for number in (1, 2):
        run("s", f"p{number}.csv", roster=tmp_path / "class.csv", choice=Choice(part=(number, 2)))
    with Gradebook(f"sqlite:///{tmp_path / 'p2' / 'gradebook.db'}", COURSE_ID) as gradebook:
        gradebook.find_grade("scores-check", "attention_exercises", LESSON, "ben").manual_score = 2.5
        gradebook.db.commit()
    tables = [tmp_path / "p1.csv", tmp_path / "p2.csv"]
    entries, notes = merge(tables, tmp_path / "all.csv", course)
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "all" / "totals.csv").read_bytes() == (tmp_path / "whole" / "totals.csv").read_bytes()
    assert ([entry.person.student for entry in entries], notes) == (["anna", "ben", "zed"], [])
    assert entries[-1].problems == ["Zed Young (zed): Nothing was handed in."]
    assert [entry.page != "" and (tmp_path / "all" / entry.page).is_file() for entry in entries] == [True, True, False]
    _, table = run(out="all.csv", choice=Choice(students=("ben",)), roster=tmp_path / "class.csv")
    assert table.keys() == {"anna", "ben", "zed"}
    with (tmp_path / "all.csv").open(newline="") as file:
        points = {(row["student"], row["exercise"]): row["points"] for row in csv.DictReader(file)}
    assert points["ben", "attention.scores"] == "2.5"
    assert points["anna", "attention.scores"] == "3"


def test_points_by_hand_reach_the_table_when_the_grading_goes_on(run, quick, course, folder, tmp_path):
    from nbgrader.api import Gradebook

    for name in ("carl", "dora"):
        shutil.rmtree(folder / name)
    run("s")
    with Gradebook(f"sqlite:///{tmp_path / 'g' / 'gradebook.db'}", COURSE_ID) as gradebook:
        gradebook.find_grade("scores-check", "attention_exercises", LESSON, "ben").manual_score = 2.5
        gradebook.db.commit()
    graded, _ = run(choice=Choice(resume=True))
    assert [page.parts[-3] for page in graded.pages] == ["ben"]
    assert [row.points for row in graded.rows if row.exercise == "attention.scores"] == [3, 2.5]
    assert run(choice=Choice(resume=True))[0].pages == []


def test_parts_that_do_not_belong_together_are_refused(run, count, course, folder, tmp_path):
    run("s", "p1.csv", choice=Choice(part=(1, 2)))
    run("t", "p2.csv", choice=Choice(part=(2, 2)))
    out, tables = tmp_path / "all.csv", [tmp_path / "p1.csv", tmp_path / "p2.csv"]
    with pytest.raises(InputError, match="were graded with several seeds"):
        merge(tables, out, course)
    with pytest.raises(InputError, match="no folder of grades none beside it"):
        merge([tmp_path / "none.csv"], out, course)
    with pytest.raises(InputError, match="go to the folder p1 beside it, which is there already; name another --out"):
        merge(tables[:1], tmp_path / "p1.csv", course)
    assert not out.exists()
    assert not (tmp_path / "all").exists()


def test_a_merge_that_is_broken_off_leaves_nothing(run, count, course, tmp_path, monkeypatch):
    def breaks_off(*_):
        raise KeyboardInterrupt

    run("s", "p1.csv")
    monkeypatch.setattr(sys.modules[merge.__module__], "class_page", breaks_off)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        merge([tmp_path / "p1.csv"], tmp_path / "all.csv", course)
    assert sorted(tmp_path.iterdir()) == before


def test_the_ledger_reads_what_an_older_table_held(run, count, tmp_path):
    run("s")
    file = tmp_path / "g" / "graded.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[0]["rows"][0]["mood"] = "good"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert len(Ledger(tmp_path / "g").rows) == len(NAMES) * 3
