"""YOLO exports that hold, and the one line that each broken one gives."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.exports.sample import data_yaml, loads, refused, write_export
from vitcourse.data.asl import load
from vitcourse.data.exports.yolo import class_names
from vitcourse.data.letters import LETTERS

LINE = "0 0.3 0.5625 0.4 0.75"


@pytest.fixture
def root(tmp_path):
    return write_export(tmp_path, form="yolo")


@pytest.mark.parametrize(
    ("text", "words", "row"),
    [
        ("0 nan 0.5 0.4 0.7", "centre x must be a number, got 'nan'", 1),
        ("0 0.3 0.5 inf 0.7", "width must be a number, got 'inf'", 1),
        ("0 0.3 0.5 0.4 six", "height must be a number, got 'six'", 1),
        ("0 0.3 0.5 0.4 0.7 0.99", "5 values are expected (class, centre x, centre y, width, height), got 6", 1),
        ("0 0.1 0.1 0.9 0.1 0.9 0.9 0.1", "5 values are expected", 1),  # half a point
        ("0 0.1 0.1 0.9 0.1 0.9 1.9", "the box leaves the image: ymax 60.8 > height 32", 1),
        ("0 0.1 0.1 0.9 0.1 0.5 0.1", "the box is inverted or empty", 1),
        ("0 0.3 0.5 0.4", "got 4", 1),
        ("26 0.3 0.5 0.4 0.7", "class 26 is not in data.yaml, which lists 26 from 0", 1),
        ("-1 0.3 0.5 0.4 0.7", "class must be a whole number from 0, got '-1'", 1),
        ("1.5 0.3 0.5 0.4 0.7", "class must be a whole number from 0, got '1.5'", 1),
        ("A 0.3 0.5 0.4 0.7", "class must be a whole number from 0, got 'A'", 1),
        ("0 0.3 0.5 -0.4 0.7", "the box is inverted or empty: xmin 20 is not below xmax 4", 1),
        ("0 0.3 0.5 0 0.7", "the box is inverted or empty", 1),
        ("0 0.5 0.5 0.5 1e-12", "the box is inverted or empty", 1),  # not empty before it becomes float32
        ("0 0.9 0.5 0.4 0.7", "the box leaves the image: xmax 44 > width 40", 1),
        ("0 1e308 0.5 1e308 0.7", "the box leaves the image", 1),
        (f"{LINE}\n{LINE}\n", "a second box for A1.jpg; one box an image is expected", 2),
        (f"\n\n{LINE} 1\n", "got 6", 3),
    ],
)
def test_a_bad_label_is_named(root, text, words, row):
    file = root / "train" / "labels" / "A1.txt"
    file.write_text(text)
    error = refused(root)
    assert words in str(error)
    assert (error.file, error.row) == (file, row)


@pytest.mark.parametrize(
    ("text", "words", "row"),
    [
        ("", "it must hold names, the list of classes", None),
        ("nc: 26\n", "it must hold names", None),
        ("- A\n- B\n", "it must hold names", None),
        ("names: A\n", "it must hold names", None),
        ("names: [A, [B]]\n", "it must hold names", None),
        ("names: {0: A, 2: Z}\n", "names, the list of classes: their numbers must be 0 to 1, got 0, 2", None),
        ("names: {1: A, 2: B, 3: Z}\n", "their numbers must be 0 to 2, got 1, 2, 3", None),
        ("names: {A: 0}\n", "their numbers must be 0 to 0, got A", None),
        ("kpt_shape: [21, 2]\nnames: [A, Z]\n", "its set has keypoints (kpt_shape)", None),
        ("nc: two\nnames: [A, Z]\n", "nc must be a whole number from 0, got 'two'", None),
        ("names: []\n", "it must hold names", None),
        (data_yaml().replace("nc: 26", "nc: 27"), "nc is '27', but names lists 26 classes", None),
        ("names: [A, Z, A]\n", "the class 'A' stands twice in names", None),
        ("nc: 2\nnames: [A, Z\n", "it is not YAML", 3),
        ("names: !!python/object/apply:os.getcwd []\n", "it must hold names", None),
        ("a: &a [x, x]\nb: &b [*a, *a]\nnames: *b\n", "it must hold names", None),
        ("names: " + "[" * 5000, "it is not YAML that can be read", None),
        ("#" * 200_000, "too many for a YAML file", None),
    ],
)
def test_a_bad_list_of_classes_is_named(root, text, words, row):
    (root / "data.yaml").write_text(text)
    error = refused(root)
    assert words in str(error)
    assert (error.file, error.row) == (root / "data.yaml", row)


def test_a_tag_of_yaml_runs_nothing(root, tmp_path):
    mark = tmp_path / "mark"
    (root / "data.yaml").write_text(f"names: !!python/object/apply:os.mkdir ['{mark}']\n")
    refused(root)
    assert not mark.exists()


def test_a_missing_list_of_classes_is_named(root):
    (root / "data.yaml").unlink()
    assert str(refused(root)) == f"{root / 'data.yaml'}: there is no such file"


def test_classes_in_another_order_are_read_by_name(root):
    (root / "data.yaml").write_text(data_yaml(LETTERS[::-1]))
    assert load(root, "train").labels.tolist() == [25, 0]


def test_small_letters_are_refused_where_a_box_uses_them(root):
    (root / "data.yaml").write_text(data_yaml(LETTERS[:25] + "z"))
    error = refused(root)
    assert "unknown letter 'z'; the classes are A to Z" in str(error)
    assert (error.file.name, error.row) == ("Z1.txt", 1)


@pytest.mark.parametrize(
    "text", ["names: [A, N, Y]", "names:\n- A\n- N\n- Y", "names: {1: N, 0: A, 2: Y}", "nc: 3\nnames: ['A', N, Y]"]
)
def test_n_and_y_are_letters_and_not_false_and_true(tmp_path, text):
    (tmp_path / "data.yaml").write_text("\ufeff" + text, encoding="utf-8")
    assert class_names(tmp_path / "data.yaml") == ["A", "N", "Y"]


def test_files_without_their_partner_are_named(root):
    train = root / "train"
    (train / "labels" / "B1.txt").write_text(LINE)
    assert "the image B1 is missing from images" in str(refused(root))
    (train / "labels" / "B1.txt").unlink()
    (train / "images" / "A1.png").write_bytes((train / "images" / "A1.jpg").read_bytes())
    assert "A1.jpg has the same label file" in str(refused(root))
    (train / "images" / "A1.png").unlink()
    (train / "labels" / "A1.TXT").write_text(LINE)
    assert "is of the same image; one file for each is expected" in str(refused(root))


@pytest.mark.parametrize("part", ["images", "labels"])
def test_a_missing_folder_is_named(root, part):
    (root / "train" / part).rename(root / part)
    assert f"train: there is no folder {part} in it" in str(refused(root))


def test_the_paths_of_data_yaml_are_not_followed(root):
    (root / "data.yaml").write_text(data_yaml().replace("../train/images", "/etc"))
    assert len(load(root, "train")) == 2


def test_a_byte_order_mark_and_windows_lines_are_no_fault(root):
    (root / "train" / "labels" / "A1.txt").write_bytes(b"\xef\xbb\xbf" + LINE.encode() + b"\r\n\r\n")
    assert len(load(root, "train")) == 2


VALUE = st.one_of(
    st.floats(0, 1).map(str),
    st.floats().map(str),
    st.integers(-3, 30).map(str),
    st.sampled_from(["nan", "1e999", "٣", "0x1"]),
)
LINES = st.lists(st.lists(VALUE | st.text(max_size=3), max_size=7).map(" ".join), max_size=3)
GOOD = st.tuples(st.integers(0, 25), st.floats(0.3, 0.7), st.floats(0.3, 0.7), st.floats(0, 0.6), st.floats(0, 0.6))
YAML = st.one_of(
    st.just(data_yaml()),
    st.permutations(LETTERS).map(data_yaml),
    st.tuples(st.integers(0, 160), st.text(max_size=4)).map(lambda t: data_yaml()[: t[0]] + t[1] + data_yaml()[t[0] :]),
    st.integers(0, 160).map(lambda n: data_yaml()[:n]),
)


def test_any_labels_load_whole_or_are_named(root):
    outcomes = []

    @settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(text=LINES.map("\n".join) | GOOD.map(lambda values: " ".join(map(str, values))), classes=YAML)
    def change(text, classes):
        (root / "train" / "labels" / "A1.txt").write_text(text, encoding="utf-8", errors="replace")
        (root / "data.yaml").write_text(classes, encoding="utf-8", errors="replace")
        outcomes.append(loads(root, 2))

    change()
    assert len(outcomes) >= 150
    assert set(outcomes) == {True, False}
