"""One small course, and kernels that several tests share."""

from contextlib import nullcontext

import nbformat
import pytest

from tests.grading import assignment
from vitcourse.grading import run as grading
from vitcourse.grading.keeper import Keeper
from vitcourse.grading.limits import Limits, MissingLimitError


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    return assignment.write_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="session")
def release(course, tmp_path_factory):
    """The notebook that students get."""
    return nbformat.read(
        grading.assign(assignment.LESSON, tmp_path_factory.mktemp("out") / "handout", course), as_version=4
    )


@pytest.fixture(scope="session")
def keeper():
    """Gives isolated kernels with short limits; where the platform has none, the test is skipped."""
    try:
        with Keeper(Limits(cell_seconds=3, seconds=120, memory_gb=0.5, processes=24)) as keeper:
            keeper.start().close()
            yield keeper
    except MissingLimitError as error:
        pytest.skip(f"no isolation here: {error}")


@pytest.fixture(scope="session")
def quick(keeper):
    """`grade`, with the shared kernels, which are ready."""

    def quick(*args, **kwargs):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grading, "Keeper", lambda _limits, _isolated: nullcontext(keeper))
            return grading.grade(*args, **kwargs)

    return quick


@pytest.fixture
def kernel(keeper):
    kernel = keeper.start()
    yield kernel
    kernel.close()


@pytest.fixture
def run(kernel):
    """Runs a cell in a kernel of its own; gives what it printed and showed, or raises its error's text."""

    def run(source, seconds=5):
        answer = kernel.ask({"do": "cell", "source": source, "seconds": seconds}, 3 * seconds + 3)
        return answer["outputs"]

    return run
