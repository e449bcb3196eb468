"""What lateness costs, and points for named mistakes: two small files."""

import re
from datetime import datetime, timedelta

import pytest

from vitcourse.errors import InputError
from vitcourse.grading import rubric
from vitcourse.grading.late import Policy, in_words, read
from vitcourse.grading.master import COURSE, load_masters
from vitcourse.grading.platforms import Person
from vitcourse.grading.submissions import MISSING, Submission

LESSONS = ("01_attention", "02_multi_head")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FILE = """
grace_minutes = 15
percent_per_day = 10
percent_at_most = 25
days_at_most = 7

[deadlines]
01_attention = 2026-11-20T18:00:00
02_multi_head = 2026-11-27

[extensions."anna"]
01_attention = 2026-11-24

[handed_in."ben"]
01_attention = 2026-11-21T08:15:00
02_multi_head = 2026-11-28T00:30:00
"""


@pytest.fixture
def file(tmp_path):
    def file(text):
        (tmp_path / "late.toml").write_text(text, encoding="utf-8")
        return tmp_path / "late.toml"

    return file


@pytest.fixture
def policy(file):
    return read(file(FILE), LESSONS)


def handed_in(student, lesson="01_attention", **facts):
    return Submission(student, lesson, name="a.ipynb", person=Person(student, **facts))


@pytest.mark.parametrize(
    ("late", "left"),
    [
        (timedelta(), 8),
        (timedelta(minutes=15), 8),
        (timedelta(minutes=16), 7.2),
        (DAY, 7.2),
        (DAY + HOUR, 6.4),
        (3 * DAY, 6),
        (7 * DAY, 6),
        (7 * DAY + HOUR, 0),
    ],
)
def test_points_are_a_function_of_points_and_lateness(policy, late, left):
    assert policy.points(8, late) == pytest.approx(left)
    assert Policy().points(8, late) == 8


@pytest.mark.parametrize(
    ("submission", "late"),
    [
        (handed_in("ben"), timedelta(hours=14, minutes=15)),
        (handed_in("ben_12", name="B. Ben", id="ben"), timedelta(hours=14, minutes=15)),
        (handed_in("ben", lesson="02_multi_head"), timedelta(minutes=30)),
        (handed_in("cleo", time="2026-11-21 18:00:00"), DAY),
        (handed_in("cleo", time="2026-11-20 17:00:00", late=True), timedelta()),
        (handed_in("cleo", time="2026-99-20 17:00:00"), timedelta()),
        (handed_in("cleo", late=True), DAY),
        (handed_in("anna", time="2026-11-21 18:00:00"), timedelta()),
        (handed_in("anna", late=True), timedelta()),
        (handed_in("dora"), timedelta()),
        (Submission("dora", "01_attention", problem=MISSING), timedelta()),
    ],
)
def test_how_late_it_came(policy, submission, late):
    assert abs(policy.lateness(submission) - late) < timedelta(seconds=1)


def test_a_time_with_a_zone_keeps_it(file):
    policy = read(file("[deadlines]\n01_attention = 2026-11-20T18:00:00+05:00"), LESSONS)
    assert policy.deadlines["01_attention"] == datetime.fromisoformat("2026-11-20T13:00:00+00:00")


def test_who_is_named_and_has_handed_in_nothing(policy):
    assert policy.strangers([handed_in("anna"), handed_in("cleo")]) == ["ben"]
    assert policy.strangers([handed_in("anna"), handed_in("b_12", name="ben")]) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grace = 5", "unknown: grace; there are: grace_minutes, "),
        ("percent_per_day = -1", "percent_per_day must be a number of 0 or more, and is -1"),
        ("percent_per_day = nan", "percent_per_day must be a number"),
        ("percent_per_day = true", "percent_per_day must be a number"),
        ("percent_at_most = 120", "percent_at_most is 120, more than 100"),
        ("[deadlines]\n01_atention = 2026-11-20", "deadlines: there are no exercises for '01_atention'"),
        ("[deadlines]\n01_attention = 'Friday'", "01_attention is no date such as 2026-11-20"),
        ("[deadlines]\n01_attention = 18:00:00", "01_attention is no date"),
        ("extensions = 3", 'extensions is a table for each student: [extensions."anna"]'),
        ("[extensions]\nanna = 2026-11-20", "extensions of anna must be a table"),
        ("deadlines = ", "Invalid value"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_name(file, text, words):
    with pytest.raises(InputError, match=rf"late\.toml: .*{re.escape(words)}"):
        read(file(text), LESSONS)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml: No such file"):
        read(tmp_path / "none.toml", LESSONS)


def test_a_rubric_gives_points_for_mistakes(file):
    masters = rubric.read(file('["attention.scores"]\nnot-scaled = 2\nraises = 0.5'), load_masters(COURSE))
    tasks = {task.exercise: task for master in masters.values() for task in master.tasks.values()}
    assert tasks["attention.scores"].by_mistake == {"not-scaled": 2, "raises": 0.5}
    assert tasks["attention.softmax"].by_mistake == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[attention.scores]\nnot-scaled = 2", "no lesson asks for 'attention'"),
        ('["attention.score"]\nnot-scaled = 2', "no lesson asks for 'attention.score'"),
        ('["attention.scores"]\nnot-skaled = 2', "attention.scores knows no mistake 'not-skaled'"),
        ('["attention.scores"]\nnot-scaled = 4', "attention.scores gives 4 for 'not-scaled': a number from 0 to 3"),
        ('["attention.scores"]\nnot-scaled = "2"', "gives '2'"),
        ('"attention.scores" = 2', "attention.scores must be a table"),
        ("[", "Invalid initial character"),
    ],
)
def test_a_rubric_that_does_not_fit_is_refused_by_name(file, text, words):
    with pytest.raises(InputError, match=rf"late\.toml: .*{re.escape(words)}"):
        rubric.read(file(text), load_masters(COURSE))


def test_lateness_in_words():
    assert [in_words(late) for late in (DAY, DAY + 2 * HOUR + timedelta(seconds=61), timedelta(seconds=1))] == [
        "1 d",
        "1 d 2 h 2 min",
        "1 min",
    ]
