"""What is staged for a profile: which notebooks, with which outputs, under which address."""

import subprocess

import nbformat
import pytest
import yaml
from execute import book_notebooks, executed_path, is_executed, with_outputs
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_keys import notebook_key
from small_books import write_book
from stage import clone_address, downloads, make_source, repository

from tests.notebooks import sample

LESSON, EXERCISES = "lessons/01_attention/attention", "lessons/01_attention/attention_exercises"


@pytest.fixture
def course(tmp_path):
    """The sources of a book with a lesson and its exercises."""
    notebooks = {LESSON: sample.lesson_notebook(), EXERCISES: sample.exercises_notebook()}
    return write_book(tmp_path, notebooks, "book/exercises", "book/objectives", "book/references")


def keep(root, name: str, text: str = "shown") -> None:
    """Keep an executed copy of a notebook, with an output for each of its code cells."""
    path = root / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", text=text)]
    notebook.metadata["course_key"] = notebook_key(path, root, "static")
    executed_path(path, root).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, executed_path(path, root))


def test_only_notebooks_in_the_contents_are_pages(course):
    toc = course / "_toc.yml"
    toc.write_text(f"format: jb-book\nroot: index\nchapters:\n- file: {EXERCISES}\n", encoding="utf-8")
    assert book_notebooks(course) == [course / f"{EXERCISES}.ipynb"]
    nested = (
        f"format: jb-book\nroot: index\nparts:\n- chapters:\n  - file: {LESSON}\n    sections:\n    - file: {EXERCISES}"
    )
    toc.write_text(nested, encoding="utf-8")
    assert book_notebooks(course) == [course / f"{name}.ipynb" for name in (LESSON, EXERCISES)]


def test_outputs_are_kept_until_the_code_changes(course):
    path = course / f"{EXERCISES}.ipynb"
    assert not is_executed(path, course)
    keep(course, EXERCISES)
    assert is_executed(path, course)
    notebook = sample.exercises_notebook()
    notebook.cells[0].source = "# Another title"
    nbformat.write(notebook, path)
    shown, fault = with_outputs(path, course)
    assert fault is None
    assert shown.cells[0].source == "# Another title"
    assert shown.cells[1].outputs[0].text == "shown"
    notebook.cells[1].source += "\nimport os"
    nbformat.write(notebook, path)
    assert not is_executed(path, course)


def test_damaged_outputs_are_made_again(course):
    keep(course, EXERCISES)
    path = executed_path(course / f"{EXERCISES}.ipynb", course)
    path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert not is_executed(course / f"{EXERCISES}.ipynb", course)


@pytest.mark.parametrize("profile", ["self-study", "class"])
def test_the_tree_of_a_profile_holds_what_its_pages_may_say(course, profile):
    for name in (LESSON, EXERCISES):
        keep(course, name)
    (course / "lessons" / "01_attention" / "plan.svg").write_text("<svg/>", encoding="utf-8")
    source = course / "_build" / profile / "source"
    make_source(course, source, profile)
    text = (source / f"{EXERCISES}.ipynb").read_text(encoding="utf-8")
    assert (sample.SECRET_LINE in text) == (profile == "self-study")
    assert "shown" in text
    assert (source / "lessons" / "01_attention" / "plan.svg").exists()
    config = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
    assert config["sphinx"]["config"]["course_profile"] == profile
    assert config["execute"]["execute_notebooks"] == "off"


ADDRESSES = {
    "https://github.com/some/course": "https://github.com/some/course",
    "https://github.com/some/course.git": "https://github.com/some/course",
    "git@github.com:some/my.course.git": "https://github.com/some/my.course",
    "ssh://git@github.com/some/course": "https://github.com/some/course",
    "/srv/course.git": None,
    "https://example.org/some/course": None,
}


@pytest.mark.parametrize("remote", ADDRESSES)
def test_the_address_is_that_of_the_remote(course, remote):
    assert repository(course) is None
    for arguments in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", course, *arguments], check=True)
    assert repository(course) == ADDRESSES[remote]


CLONED = {
    "https://github.com/some/course": "https://github.com/some/course",
    "https://git.example.org:8443/some/group/course.git": "https://git.example.org:8443/some/group/course.git",
    "https://anna@example.org/course.git": "https://example.org/course.git",
    "https://anna:ghp_secret@example.org/course.git": "https://example.org/course.git",
    "https://example.org/course.git?private_token=secret": "",
    "git@example.org:some/course.git": "git@example.org:some/course.git",
    "ssh://git@example.org:22/some/course": "ssh://git@example.org:22/some/course",
    "ssh://git:secret@example.org/course": "",
    "/srv/git/course.git": "",
    "../course": "",
    "file:///srv/course.git": "",
    "http://example.org/course.git": "",
    "git://example.org/course.git": "",
}


@pytest.mark.parametrize("remote", CLONED)
def test_a_reader_is_told_what_can_be_cloned_and_no_secret(course, remote):
    assert clone_address(course) == ""
    for arguments in (["init", "--quiet"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", course, *arguments], check=True)
    assert clone_address(course) == CLONED[remote]


def test_a_configured_address_wins_and_brings_launch_buttons(course):
    config = yaml.safe_load((course / "_config.yml").read_text(encoding="utf-8"))
    assert config["launch_buttons"]["colab_url"]
    keep(course, LESSON)
    keep(course, EXERCISES)
    make_source(course, course / "without", "class")
    assert "launch_buttons" not in yaml.safe_load((course / "without" / "_config.yml").read_text(encoding="utf-8"))
    config["repository"] = {"url": "https://github.com/some/course"}
    (course / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    make_source(course, course / "with", "class")
    staged = yaml.safe_load((course / "with" / "_config.yml").read_text(encoding="utf-8"))
    assert staged["repository"] == {"url": "https://github.com/some/course", "branch": "learner"}
    assert staged["launch_buttons"]["binderhub_url"]


def test_an_output_stays_with_its_cell(course):
    cells = [new_code_cell("a = 1", id="a"), new_markdown_cell("text", id="b"), new_code_cell("a", id="c")]
    nbformat.write(new_notebook(cells=cells), course / f"{LESSON}.ipynb")
    keep(course, LESSON, "kept")
    nbformat.write(new_notebook(cells=[cells[1], cells[0], cells[2]]), course / f"{LESSON}.ipynb")
    shown, _ = with_outputs(course / f"{LESSON}.ipynb", course)
    assert [cell.get("outputs", [{}])[0].get("text") for cell in shown.cells] == [None, "kept", "kept"]


def test_a_notebook_that_is_edited_during_the_build_is_shown_as_it_was_executed(course):
    keep(course, LESSON, "kept")
    before = nbformat.read(course / f"{LESSON}.ipynb", as_version=4)
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0", id="new")]), course / f"{LESSON}.ipynb")
    shown, fault = with_outputs(course / f"{LESSON}.ipynb", course)
    assert fault is None
    assert [cell.source for cell in shown.cells] == [cell.source for cell in before.cells]
    assert "course_key" not in shown.metadata
    assert not is_executed(course / f"{LESSON}.ipynb", course)


@pytest.mark.parametrize("profile", ["self-study", "class"])
@pytest.mark.parametrize("fault", ["unreadable", "unpaired", "not executed"])
def test_a_page_that_cannot_be_made_says_why_and_the_others_are_made(course, profile, fault):
    secret = "secret_thing = query @ key.mT"
    path = course / f"{EXERCISES}.ipynb"
    if fault == "unreadable":
        path.write_text(f'"{secret}', encoding="utf-8")
    elif fault == "unpaired":
        nbformat.write(sample.exercises_notebook(f"{secret}  ### END SOLUTION"), path)
    keep(course, LESSON)
    if fault == "unpaired":
        keep(course, EXERCISES)
    faults = make_source(course, course / "source", profile)
    assert list(faults) == [f"{EXERCISES}.ipynb"]
    assert str(course) not in faults[f"{EXERCISES}.ipynb"].sentence
    shown = nbformat.read(course / "source" / f"{EXERCISES}.ipynb", as_version=4)
    assert "This notebook failed" in shown.cells[0].source
    assert (secret in nbformat.writes(shown)) == (profile == "self-study" and fault == "unreadable")
    assert "shown" in (course / "source" / f"{LESSON}.ipynb").read_text(encoding="utf-8")
    copies, more = downloads(course)
    assert list(more) == ([] if fault == "not executed" else [f"{EXERCISES}.ipynb"])
    assert all(secret not in nbformat.writes(copy) for copy in copies.values())
