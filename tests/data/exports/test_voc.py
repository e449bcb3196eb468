"""Pascal VOC exports that hold, and the one line that each broken one gives."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.exports.sample import VOC, loads, refused, voc_object, write_export
from vitcourse.data.asl import load

BOX = (4, 6, 20, 30)
WHOLE = VOC.format(name="A1.jpg", width=40, height=32, objects=voc_object("A", BOX))


@pytest.fixture
def root(tmp_path):
    return write_export(tmp_path, form="voc")


BILLION_LAUGHS = (
    '<!DOCTYPE annotation [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    ("text", "words", "row"),
    [
        (BILLION_LAUGHS + WHOLE.replace(">A<", ">&j;<"), "a document type (DOCTYPE) is refused", 1),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n' + WHOLE.replace(">A<", ">&x;<"), "is refused", 1),
        ('\n<!DOCTYPE annotation SYSTEM "http://localhost/x.dtd">\n' + WHOLE, "is refused", 2),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>' + WHOLE, "is refused", 1),
        (WHOLE.replace(">A<", ">&x;<"), "it is not whole XML (undefined entity)", ">&x;<"),
        ("", "it is not whole XML (no element found)", 1),
        (WHOLE[:300], "it is not whole XML (unclosed token)", WHOLE[280:300]),
        (WHOLE + WHOLE, "it is not whole XML (junk after document element)", "<annotation>"),
        ("<a>" * 100 + "</a>" * 100, "elements are nested more than 20 deep", 1),
        ("<a>" * 200_000, "elements are nested more than 20 deep", 1),
        ("x" * 2_000_000, "too many for an XML file", None),
        ("<html/>", "the root must be <annotation>, got <html>", 1),
        ("<annotation/>", "<annotation> must have one <size>, got 0", 1),
        (WHOLE.replace("A1.jpg", "../A1.jpg"), "'../A1.jpg' is not the plain name of a file", 3),
        (WHOLE.replace("A1.jpg", "/etc/passwd"), "'/etc/passwd' is not the plain name of a file", 3),
        (WHOLE.replace("A1.jpg", "B1.jpg"), "the image B1.jpg is missing; A1.jpg is there", 3),
        (WHOLE.replace("A1.jpg", ""), "'' is not the plain name of a file", 3),
        (WHOLE.replace("<width>40</width>", ""), "<size> must have one <width>, got 0", 6),
        (WHOLE.replace(">40<", ">44<"), "A1.jpg has 40 x 32 pixels, the annotation says 44 x 32", "<bndbox>"),
        (WHOLE.replace(">40<", ">wide<"), "width must be a whole number of pixels above 0, got 'wide'", 7),
        (WHOLE.replace(">40<", ">-4<"), "width must be a whole number of pixels above 0, got '-4'", 7),
        (WHOLE.replace(">A<", ">a<"), "unknown letter 'a'; the classes are A to Z", ">a<"),
        (WHOLE.replace(">A<", ">hand<"), "unknown letter 'hand'", ">hand<"),
        (WHOLE.replace(">5<", ">nan<"), "xmin must be a number, got 'nan'", ">nan<"),
        (WHOLE.replace(">5<", "><"), "xmin must be a number, got ''", "<xmin><"),
        (WHOLE.replace(">5<", "><b>5</b><"), "xmin must be a number, got ''", "<xmin><b>"),
        (
            WHOLE.replace("<xmin>5</xmin>", "<xmin>5</xmin><xmin>6</xmin>"),
            "<bndbox> must have one <xmin>, got 2",
            "<bndbox>",
        ),
        (WHOLE.replace(">5<", ">30<"), "the box is inverted or empty: xmin 29 is not below xmax 20", "<bndbox>"),
        (WHOLE.replace(">21<", ">43<"), "the box leaves the image: xmax 42 > width 40", "<bndbox>"),
        (
            VOC.format(name="A1.jpg", width=40, height=32, objects=voc_object("A", BOX) * 2),
            "a second <object>",
            "<object>",
        ),
        (WHOLE.replace("A1.jpg", "Z1.jpg"), "Z1.jpg has a box in A1.xml already", None),
    ],
)
def test_a_fault_is_named(root, text, words, row):
    """The row is a number, or what stands last in that row."""
    file = root / "train" / "A1.xml"
    file.write_text(text)
    error = refused(root)
    assert words in str(error)
    if "already" in words:
        file = file.with_name("Z1.xml")
    if isinstance(row, str):
        row = text[: text.rindex(row) + len(row)].count("\n") + 1
    assert (error.file, error.row) == (file, row)


def test_a_declared_encoding_or_a_mark_is_no_fault(root):
    declared = '<?xml version="1.0" encoding="utf-16"?>\n' + WHOLE
    for content in (declared.encode(), b"\xef\xbb\xbf" + declared.encode(), WHOLE.replace("\n", "\r\n").encode()):
        (root / "train" / "A1.xml").write_bytes(content)
        assert load(root, "train").labels.tolist() == [0, 25]


def test_bytes_that_are_no_utf8_are_named(root):
    (root / "train" / "A1.xml").write_bytes(WHOLE.encode("utf-16"))
    assert "it is not an XML file in UTF-8" in str(refused(root))


PIECES = (
    "<object>",
    "</object>",
    "&amp;",
    "&x;",
    "<!DOCTYPE a>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "\0",
    "٣",
    "5",
    "-1",
)
TEXTS = ("A1.jpg", ">40<", ">32<", ">A<", ">5<", ">7<", ">21<", ">31<", "\t", "bndbox", "size")


def test_any_change_loads_whole_or_is_named(root):
    outcomes = []

    @settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(
        place=st.integers(0, len(WHOLE)),
        gone=st.integers(0, 8),
        piece=st.sampled_from(PIECES) | st.text(max_size=4) | st.floats().map(str),
        text=st.sampled_from(TEXTS),
        inside=st.booleans(),
        cut=st.sampled_from([None, None, None, 100, 400, -5]),
    )
    def change(place, gone, piece, text, inside, cut):
        if inside:  # what an element holds
            broken = WHOLE.replace(text, f">{piece}<" if text[0] == ">" else piece)
        else:
            broken = WHOLE[:place] + piece + WHOLE[place + gone :]
        (root / "train" / "A1.xml").write_text(broken[:cut], encoding="utf-8", errors="replace")
        outcomes.append(loads(root, 2))

    change()
    assert len(outcomes) >= 150
    assert set(outcomes) == {True, False}
