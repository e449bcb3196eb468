"""Code that asks for a GPU runs on the CPU, and is judged by what it computes."""

import copy

import pytest

from tests.grading.assignment import LESSON, answered, cell_of
from vitcourse.grading.examine import ON_CPU, examine
from vitcourse.grading.master import find_master

pytestmark = pytest.mark.grades
ROOT = "query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])"
WAYS = {
    "to": f"query, key = query.to('cuda'), key.to(torch.device('cuda:0'))\n    return ({ROOT}).cpu()",
    "cuda": f"query, key = query.cuda(), key.cuda()\n    return {ROOT}",
    "made there": f"zero = torch.zeros(1, device='cuda')\n    torch.cuda.synchronize()\n    return zero + {ROOT}",
    "apple": f"query, key = query.to('mps', torch.float64), key.to(device='mps').double()\n    return ({ROOT}).float()",
    "in place": "query = query.to('cuda')\n    query /= math.sqrt(query.shape[-1])\n    return query @ key.cuda().mT",
    "context": f"with torch.device('cuda'):\n        zero = torch.zeros(())\n    return zero + {ROOT}",
    "module": f"torch.nn.Linear(2, 2).cuda()\n    return torch.nn.Identity().to('cuda')({ROOT})",
}


@pytest.fixture(scope="module")
def judged(release, course, launcher):
    def judged(body, first=""):
        notebook = answered(release, scores=body, first=first)
        notebook.metadata = copy.deepcopy(notebook.metadata)
        notes = examine(notebook, find_master(LESSON, course).tasks, launcher, "seed")
        facts = cell_of(notebook, "scores-check").metadata["vitcourse"]
        assert cell_of(notebook, "cost-check").metadata["vitcourse"]["misconception"] is None
        return facts, notes, notebook

    return judged


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_asks_for_a_gpu_is_judged_on_the_cpu_and_both_are_told(judged, way):
    facts, notes, notebook = judged(WAYS[way])
    if way == "apple":  # it loses what float64 inputs hold, as it would there
        assert facts["misconception"] == "wrong-dtype"
    else:
        assert facts["misconception"] is None, facts["detail"]
    assert notes == [ON_CPU]
    assert notebook.metadata.vitcourse["notes"] == [f"{ON_CPU}."]


def test_a_mistake_on_the_gpu_is_the_same_mistake(judged):
    facts, _, _ = judged("return query.cuda() @ key.cuda().mT")
    assert facts["misconception"] == "not-scaled"


def test_who_asks_whether_there_is_a_gpu_is_told_no_and_nothing_is_noted(judged):
    first = "device = 'cuda' if torch.cuda.is_available() else 'cpu'"
    facts, notes, _ = judged(f"query = query.to(device)\n    return {ROOT}", first)
    assert (facts["misconception"], notes) == (None, [])


def test_a_default_device_of_the_session_is_no_gpu_either(judged):
    facts, notes, _ = judged(f"return torch.zeros(()) + {ROOT}", "torch.set_default_device('cuda')\ntorch.zeros(2)")
    assert (facts["misconception"], notes) == (None, [ON_CPU])
