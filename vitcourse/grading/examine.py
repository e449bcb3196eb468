"""Runs a student's notebook and judges it: cells in the kernel, test cells here, with the grader's own seed."""

from dataclasses import asdict

from nbformat import NotebookNode
from nbformat.v4 import new_output

from vitcourse import checks
from vitcourse.checks.engine.display import text
from vitcourse.errors import one_line
from vitcourse.grading.earlier import calling_faulty
from vitcourse.grading.master import Task
from vitcourse.grading.outputs import CUT
from vitcourse.grading.submissions import NOT_GRADED
from vitcourse.grading.walled.launcher import Launcher
from vitcourse.grading.walled.session import Session

ON_CPU = "It asks for a GPU, and the grader has none: what was sent there stayed on the CPU, and is judged as it is"
TOTAL_LIMIT = 10 * 2**20  # characters that all outputs of a notebook may have


def examine(notebook: NotebookNode, tasks: dict[str, Task], launcher: Launcher, seed: object) -> list[str]:
    """Fills the outputs of a notebook whose test cells are the master's.

    A test cell's outputs are the report as text and, as nbgrader's form of partial credit, the points as the value of
    the cell. The report itself goes to the cell's metadata, as ``vitcourse``. An answer that calls a faulty one of an
    exercise before is judged a second time, with the course's own in its place, and the better of both counts.

    Args:
        notebook: changed in place.
        tasks: what the test cells ask for, by grade_id.
        launcher: gives the kernels.
        seed: draws the inputs of the checks; it stays in this process.

    Returns:
        What the instructor should know of: kernels that ended, cells that ran out of time or memory.
    """
    room = TOTAL_LIMIT
    with Session(launcher) as session:
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            task = tasks.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
            if task is not None:
                record(cell, task, _judge(session, task, seed, notebook))
                continue
            cell.outputs = session.run(cell.source)
            room -= len(str(cell.outputs))
            if room < 0:
                cell.outputs = [new_output("stream", name="stderr", text=CUT)]
        for cell, task, faulty in calling_faulty(notebook, tasks):
            for other in faulty:
                session.run(other.solution)
            report = _judge(session, task, seed, notebook)
            if task.earned(report) > cell.metadata["vitcourse"]["points"]:
                record(cell, task, report)
                cell.metadata["vitcourse"]["with_right"] = [other.name for other in faulty]
    notes = [ON_CPU] if session.asked_for_gpu else []
    notebook.metadata.setdefault("vitcourse", {}).setdefault("notes", []).extend(f"{note}." for note in notes)
    return [*dict.fromkeys(session.troubles), *notes]


def _judge(session: Session, task: Task, seed: object, notebook: NotebookNode) -> checks.Report:
    try:
        answer = session.learner_object(task.name)
    except KeyError:
        return nothing(task, "not-defined", f"The notebook defines no `{task.name}`.", _why(notebook, task))
    try:
        return checks.run(task.exercise, answer, seed)
    except Exception as error:
        # A kind of answer that the check has not thought of must not cost the other exercises.
        session.troubles.append(f"the check of {task.exercise} failed on its answer: {one_line(error)}")
        return nothing(task, NOT_GRADED, "The check could not judge this answer.", type(error).__name__)


def _why(notebook: NotebookNode, task: Task) -> str:
    """The error of the cell that names what is missing, or of the first cell that failed."""
    failed = [(cell, output) for cell in notebook.cells for output in cell.get("outputs", ())]
    failed = [(cell, output) for cell, output in failed if output.output_type == "error"]
    failed.sort(key=lambda pair: task.name not in pair[0].source)
    return one_line(f"{failed[0][1].ename}: {failed[0][1].evalue}") if failed else ""


def nothing(task: Task, misconception: str, message: str, detail: str = "") -> checks.Report:
    """The report on an answer that is not there to be judged."""
    results = tuple((name, "not tried") for name, _ in checks.find(task.exercise).properties)
    return checks.Report(task.exercise, results, misconception, message, detail)


def record(cell: NotebookNode, task: Task, report: checks.Report) -> None:
    """Puts a report and its points into a test cell, where nbgrader and the feedback page look for them."""
    points = task.earned(report)
    cell.metadata["vitcourse"] = asdict(report) | {"share": report.share, "points": points}
    cell.outputs = [
        new_output("display_data", data={"text/plain": text(report)}),
        new_output("execute_result", data={"text/plain": f"{points:g}"}, execution_count=None),
    ]
