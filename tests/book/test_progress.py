"""What a reader has done, kept by the built book in the reader's own browser; and a browser that keeps nothing."""

import json
from pathlib import Path

import pytest

HTML = Path(__file__).parents[2] / "_build" / "html"
LESSON, EXERCISES = "lessons/01_attention/attention", "lessons/01_attention/attention_exercises"
KEY = "vitcourse-progress"
STATE = f"JSON.parse(localStorage.getItem('{KEY}'))"
pytestmark = pytest.mark.browser


@pytest.fixture
def html():
    return HTML


@pytest.fixture
def context(browser):
    """A browser of its own, which remembers nothing."""
    context = browser.new_context()
    context.set_default_timeout(900_000)
    yield context
    context.close()


def test_the_first_answer_to_a_quiz_counts(opened):
    page = opened(LESSON)
    quiz = page.locator("[data-quiz]").first
    quiz.locator(".quiz-wrong summary").first.click()
    quiz.locator(".quiz-right summary").click()
    page.wait_for_function(f"localStorage.getItem('{KEY}')")
    assert page.evaluate(f"{STATE}.quizzes") == {quiz.get_attribute("data-quiz"): False}
    assert quiz.locator(".quiz-first").inner_text() == "Your first answer was not right."


def test_what_is_read_and_ticked_shows_everywhere(opened):
    page = opened(EXERCISES)
    page.locator("input[data-tick='attention.scores']").check()
    page = opened(LESSON)
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    page.wait_for_function(f"{STATE}?.read['{LESSON}']")
    state = page.evaluate(STATE)
    assert 0.2 < state["read"][LESSON] < 0.9
    assert state["at"]["page"] == LESSON
    assert state["at"]["anchor"]
    page = opened("book/progress")
    read, quizzes, ticked = page.locator("tr", has_text="01 · ").locator("td").all_inner_texts()
    assert read == f"{round(100 * state['read'][LESSON])}%"
    assert quizzes.startswith("0 of ")
    assert ticked.startswith("1 of ")
    assert opened("book/exercises").locator("input[data-tick='attention.scores']").is_checked()


def test_progress_is_saved_taken_in_and_forgotten(opened, tmp_path):
    page = opened("book/progress")
    file = tmp_path / "progress.json"
    told = page.locator(".progress-said")
    for content, answer in ((json.dumps({"version": 9}), "holds no progress"), ("<p>", "holds no progress")):
        file.write_text(content, encoding="utf-8")
        page.locator("input[type=file]").set_input_files(file)
        page.wait_for_function("document.querySelector('.progress-said').textContent")
        assert answer in told.inner_text()
    kept = {"version": 1, "read": {LESSON: 0.5, "x": "<b>"}, "quizzes": {}, "exercises": {"attention.scores": True}}
    file.write_text(
        json.dumps({**kept, "at": {"page": "javascript:alert(1)", "anchor": "", "title": "x"}}), encoding="utf-8"
    )
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function(f"localStorage.getItem('{KEY}')")
    assert page.evaluate(STATE) == {**kept, "read": {LESSON: 0.5}, "at": None}
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save to a file").click()
    assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))["read"] == {LESSON: 0.5}
    page.get_by_role("button", name="Forget my progress").click()
    page.get_by_role("button", name="Yes, forget it").click()
    assert page.evaluate(f"localStorage.getItem('{KEY}')") is None


def test_a_browser_that_keeps_nothing_is_told_and_loses_nothing_else(opened, context):
    context.add_init_script(
        "const refuse = () => { throw new DOMException('denied', 'SecurityError'); };"
        f"Storage.prototype.setItem = function (key) {{ if (key === '{KEY}') refuse(); }};"
        f"Storage.prototype.getItem = function (key) {{ return key === '{KEY}' ? refuse() : null; }};"
    )
    faults = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page = opened("book/progress")
    assert "keeps nothing" in page.locator(".progress-said").inner_text()
    page = opened(LESSON)
    page.locator("[data-quiz] summary").first.click()
    assert page.locator("[data-quiz] .quiz-answer").first.is_visible()
    assert faults == []
