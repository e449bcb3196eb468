"""What a kernel claims that its cells have put out."""

import base64

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vitcourse.grading import outputs

PNG = base64.b64encode(outputs.PNG + b"rest").decode()


def test_outputs_become_a_valid_notebook():
    items = [
        {"kind": "stream", "name": "stdout", "text": "one\n"},
        {"kind": "data", "data": {"text/plain": "<Figure>", "image/png": PNG}},
        {"kind": "error", "name": "ValueError", "text": "no", "trace": "line 1\nline 2"},
    ]
    cleaned = outputs.clean(items)
    assert [output.output_type for output in cleaned] == ["stream", "display_data", "error"]
    assert cleaned[1].data["image/png"] == PNG
    assert cleaned[2].traceback == ["line 1", "line 2"]
    nbformat.validate(new_notebook(cells=[new_code_cell("", outputs=cleaned)]))


@pytest.mark.parametrize(
    "items",
    [
        None,
        "text",
        [1, None, []],
        [{"kind": "html", "data": "<script>"}],
        [{"kind": "data", "data": ["text/html"]}],
        [{"kind": "stream", "name": ["x"], "text": {"a": 1}}],
        [{"kind": "error", "name": 5, "text": None, "trace": 7}],
    ],
)
def test_whatever_comes_nothing_breaks(items):
    cleaned = outputs.clean(items)
    nbformat.validate(new_notebook(cells=[new_code_cell("", outputs=cleaned)]))
    assert "script" not in str(cleaned)


def test_only_plain_text_and_pictures_are_kept():
    data = {"text/plain": "x", "text/html": "<script>", "image/svg+xml": "<svg>", "image/png": "javascript:"}
    (output,) = outputs.clean([{"kind": "data", "data": data}])
    assert output.data == {"text/plain": "x"}


def test_outputs_are_cut_at_a_million():
    long = [{"kind": "stream", "name": "stdout", "text": "x" * 3_000_000}]
    many = [{"kind": "stream", "name": "stdout", "text": "x" * 100}] * 20_000
    picture = [{"kind": "data", "data": {"text/plain": "p", "image/png": PNG + "A" * 2_000_000}}]
    for items in (long, many, picture):
        assert len(str(outputs.clean(items))) < 1.1 * outputs.LIMIT
    assert outputs.clean(many)[-1].text == outputs.CUT


def test_text_holds_no_control_characters_and_no_halves():
    (output,) = outputs.clean([{"kind": "stream", "name": "stdout", "text": "a\x00b\x1b[31mc\ud800d\r\ne\tf"}])
    assert output.text == "ab[31mc?d\ne\tf"
