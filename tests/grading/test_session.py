"""A notebook whose cells end their kernels: the rest still counts."""

import pytest
import torch

from vitcourse.checks.engine import guard
from vitcourse.grading.walled import session as sessions
from vitcourse.grading.walled.session import Session


@pytest.fixture
def session(launcher):
    with Session(launcher) as session:
        yield session


def texts(outputs):
    return [output.get("text") or output.get("evalue") or output.data["text/plain"] for output in outputs]


def test_a_cell_that_ends_its_kernel_is_left_out_from_then_on(session):
    assert session.run("x = [1]\nprint('first')")[0].text == "first\n"
    (error,) = session.run("x.append(2)\nimport os\nos._exit(0)")
    assert error.evalue == "the process that ran this cell is gone: it ended itself with exit status 0"
    assert texts(session.run("x.append(3)\nx")) == ["[1, 3]"]
    assert session.troubles == ["a process of it is gone: it ended itself with exit status 0"]


def test_a_cell_that_ends_its_kernel_only_the_second_time_is_left_out_too(session):
    session.cells = ["x = [1]", "import os; os._exit(0)", "x.append(2)"]
    assert texts(session.run("x")) == ["[1, 2]"]


def test_a_function_that_ends_its_kernel_does_not_end_the_next(session):
    session.run("import os, torch\ndef bad(x): os._exit(1)\ndef good(x): return x + 1")
    bad = session.learner_object("bad").guarded_call((torch.zeros(2),), {}, guard.Rules())
    assert (bad.failure, "exit status 1" in bad.detail) == ("raises", True)
    good = session.learner_object("good").guarded_call((torch.zeros(2),), {}, guard.Rules())
    assert good.value.tolist() == [1, 1]


def test_a_function_that_gets_round_the_kernels_limit_is_an_endless_loop(session):
    session.run("import signal\ndef f():\n  signal.signal(signal.SIGALRM, signal.SIG_IGN)\n  while True: pass")
    outcome = session.learner_object("f").guarded_call((), {}, guard.Rules(seconds=60))
    assert (outcome.failure, outcome.detail) == ("endless-loop", "3 seconds")  # the kernel's limit, not the rules'


def test_a_cell_that_ended_well_is_never_out_of_time(session):
    """However long it took on the clock: it slept for longer than it may compute."""
    assert texts(session.run("import time\ntime.sleep(4)\nx = 1\nx")) == ["1"]
    assert session.troubles == []
    session.run("import os\nos._exit(0)")
    assert texts(session.run("x")) == ["1"]


def test_a_cell_that_neither_computes_nor_ends_is_ended_by_the_clock(session):
    session.run("import time\nkept = 1\ndef f(): time.sleep(10**9)")
    session.kernel.wait_seconds = 1
    (error,) = session.run("time.sleep(10**9)")
    assert error.ename == "TimeIsUp"
    assert "did not come to an end within 1 seconds" in error.evalue
    assert session.troubles == ["a cell ran out of time"]
    assert texts(session.run("kept")) == ["1"]
    function = session.learner_object("f")
    session.kernel.wait_seconds = 1
    outcome = function.guarded_call((), {}, guard.Rules(seconds=60))
    assert (outcome.failure, outcome.detail) == ("endless-loop", "1 seconds")


def test_what_a_stopped_cell_has_started_takes_no_time_of_the_next(session):
    session.run("x = 1")
    session.run("import os\nos.fork()\nos.fork()\nwhile True: pass")
    assert session.troubles == ["a cell ran out of time"]
    assert session.kernel is None
    assert texts(session.run("x")) == ["1"]
    assert not session.kernel.has_started_others()


def test_values_come_by_value_and_foreign_ones_by_the_name_of_their_type(session):
    session.run("a = (1, 'x')\nimport numpy\nb = numpy.zeros(2)")
    assert session.learner_object("a") == (1, "x")
    assert type(session.learner_object("b")).__name__ == "numpy.ndarray"
    with pytest.raises(KeyError):
        session.learner_object("c")


@pytest.mark.parametrize(
    "answer",
    [{"changed": 5}, {"gradients": 7}, {"failure": ["x"]}, {"value": {"a": 1}, "changed": [[1]]}, {}],
)
def test_an_answer_that_is_forged_is_an_outcome_all_the_same(session, monkeypatch, answer):
    kernel = session._ready()
    monkeypatch.setattr(kernel, "ask", lambda *_: answer)
    assert isinstance(session.call("f", (), {}, guard.Rules()), guard.Outcome)


def test_the_time_for_the_whole_notebook_ends(session):
    """What has been computed counts, in kernels that have ended too; what began while there was time has all of its."""
    session.run("def f(): pass")
    session.used = 119.9
    (error,) = session.run("while True: pass")
    assert error.ename == "TimeIsUp"
    session.kernel.looked = 0
    over = "the 120 seconds for the whole notebook were over"
    assert texts(session.run("1")) == [over]
    assert over in session.call("f", (), {}, guard.Rules()).detail
    with pytest.raises(KeyError):
        session.learner_object("f")
    assert session.kernel is None


def test_a_notebook_that_is_stopped_many_times_gets_no_more(session, monkeypatch):
    monkeypatch.setattr(sessions, "STOPS", 2)
    for _ in range(2):
        session.run("while True: pass")
    assert texts(session.run("1")) == ["the notebook was stopped 2 times for want of time"]


def test_a_notebook_that_ends_many_kernels_gets_no_more(session, monkeypatch):
    monkeypatch.setattr(sessions, "KERNELS", 3)
    for _ in range(3):
        session.run("import os; os._exit(0)")
    assert texts(session.run("1")) == ["the notebook has ended 3 processes"]


def test_a_cell_that_took_all_its_time_is_not_run_again(session):
    session.run("x = 1")
    session.run("while True: pass")
    session.run("import os; os._exit(0)")
    assert texts(session.run("x")) == ["1"]
    assert session.cells == ["x = 1", "x"]
