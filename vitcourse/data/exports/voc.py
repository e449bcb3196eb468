"""The Pascal VOC form of an export: an XML file beside each image, boxes in whole pixels that are counted from 1.

Roboflow's own samples of one set show the count: the box 178, 84, 230, 143 of its CSV form (roboflow.com/formats,
Tensorflow Object Detection CSV) is 179, 85, 231, 144 in its VOC form (Pascal VOC XML). So 1 is taken from every side.

A document type is refused: it is where XML declares entities, which can name other files or grow without end, and no
export has one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from vitcourse.data.exports.names import Photos, composed, listed, plain_name
from vitcourse.data.exports.records import (
    CORNERS,
    Made,
    Record,
    complete,
    gathered,
    located,
    number,
    read_text,
    record,
    whole,
)
from vitcourse.data.letters import LETTERS, letter
from vitcourse.errors import DataError, shown

SUFFIX = frozenset({".xml"})
IMAGES = ""
MAX_XML = 10**6  # bytes; real ones have hundreds
MAX_DEPTH = 20


@dataclass
class Element:
    """One element of a document, with the row that it starts in."""

    tag: str
    row: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return any(_annotates(file) for file in listed(folder, SUFFIX))


def read(folder: Path) -> tuple[list[Record], list[Path]]:
    """The records of one split, and its photos without a box: without XML file, or without object in it.

    An XML file of another kind that belongs to no photo is passed over.

    Raises:
        DataError: naming the file and the row.
    """
    photos, seen = Photos(folder), {}
    stems = {composed(photo.stem) for photo in photos.files}

    def read_file(file: Path) -> Record | Path:
        made = _record(parse(file), file, photos)
        if isinstance(made, Record):
            if made.file in seen:
                raise DataError(f"{made.file.name} has a box in {seen[made.file]} already", file)
            seen[made.file] = file.name
        return made

    files = [file for file in listed(folder, SUFFIX) if composed(file.stem) in stems or _annotates(file)]
    made = gathered((file.name, lambda file=file: read_file(file)) for file in files)
    records = [entry for entry in made if isinstance(entry, Record)]
    return complete(records, (entry for entry in made if not isinstance(entry, Record)), photos)


def _annotates(file: Path) -> bool:
    """Whether a file, be it damaged, holds an annotation; in whichever encoding."""
    with file.open("rb") as stream:
        return re.search(rb"<annotation[\s/>]", stream.read(MAX_XML).replace(b"\0", b"")) is not None


def parse(file: Path) -> Element:
    """The root of an XML document.

    Raises:
        DataError: the document is broken, too deep, or has a document type.
    """
    text = read_text(file, "an XML file", MAX_XML)
    parser = expat.ParserCreate("utf-8")  # whatever the document claims: the text was decoded above
    top = Element("", 0)
    opened = [top]

    def start(tag: str, _: dict) -> None:
        if len(opened) > MAX_DEPTH:
            raise DataError(f"elements are nested more than {MAX_DEPTH} deep", file, parser.CurrentLineNumber)
        element = Element(tag, parser.CurrentLineNumber)
        opened[-1].children.append(element)
        opened.append(element)

    def data(more: str) -> None:
        opened[-1].text += more

    def refuse(*_) -> None:
        raise DataError("a document type (DOCTYPE) is refused: it can declare entities", file, parser.CurrentLineNumber)

    parser.StartElementHandler, parser.CharacterDataHandler = start, data
    parser.EndElementHandler = lambda _: opened.pop()
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(text.encode("utf-8"), True)
    except expat.ExpatError as error:
        raise DataError(f"it is not whole XML ({expat.ErrorString(error.code)})", file, error.lineno) from error
    return top.children[0]


def _record(root: Element, file: Path, photos: Photos) -> Record | Path:
    """The record of a document, or the photo that it names without a box."""
    if root.tag != "annotation":
        raise DataError(f"the root must be <annotation>, got <{shown(root.tag)[1:-1]}>", file, root.row)
    objects = [child for child in root.children if child.tag == "object"]
    size = _child(root, "size", file)
    element = _child(root, "filename", file)
    width, height = (_text(size, key, file, lambda text, key=key: whole(key, text)) for key in ("width", "height"))
    if not objects:
        return located(lambda: _photo(element.text, file, photos), file, element.row)
    label = _text(objects[0], "name", file, letter)
    box = _child(objects[0], "bndbox", file)
    corners = tuple(_text(box, key, file, lambda text, key=key: number(key, text)) - 1 for key in CORNERS)
    photo = located(lambda: _photo(element.text, file, photos), file, element.row)
    made = located(lambda: record(photo, width, height, label, corners), file, box.row)
    if len(objects) > 1:
        raise DataError(f"{photo.name} has a second <object>; one box an image is expected", file, objects[1].row)
    return made


def _photo(text: str, file: Path, photos: Photos) -> Path:
    """The photo that a document names, as it stands there or without the blanks around it."""
    try:
        return photos.find(plain_name(text))
    except ValueError:
        return photos.find(plain_name(text.strip()), file.stem)


def _child(parent: Element, tag: str, file: Path) -> Element:
    """The one child with a tag."""
    children = [child for child in parent.children if child.tag == tag]
    if len(children) != 1:
        raise DataError(f"<{parent.tag}> must have one <{tag}>, got {len(children)}", file, parent.row)
    return children[0]


def _text(parent: Element, tag: str, file: Path, convert: Callable[[str], Made]) -> Made:
    """The text of the one child with a tag, converted."""
    child = _child(parent, tag, file)
    return located(lambda: convert(child.text.strip()), file, child.row)


DOCUMENT = """<annotation>
	<folder></folder>
	<filename>{name}</filename>
	<path>{name}</path>
	<source>
		<database>vitcourse</database>
	</source>
	<size>
		<width>{width}</width>
		<height>{height}</height>
		<depth>3</depth>
	</size>
	<segmented>0</segmented>
	<object>
		<name>{letter}</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<difficult>0</difficult>
		<occluded>0</occluded>
		<bndbox>
			<xmin>{xmin}</xmin>
			<xmax>{xmax}</xmax>
			<ymin>{ymin}</ymin>
			<ymax>{ymax}</ymax>
		</bndbox>
	</object>
</annotation>
"""


def write(folder: Path, records: list[Record]) -> None:
    """Writes an XML file beside each written image, boxes rounded to whole pixels and counted from 1."""
    for made in records:
        sides = {key: side + 1 for key, side in zip(CORNERS, made.whole_pixels(), strict=True)}
        facts = {"width": made.width, "height": made.height, "letter": LETTERS[made.label], **sides}
        document = DOCUMENT.format(name=escape(made.file.name), **facts)
        (folder / f"{made.file.stem}.xml").write_text(document, encoding="utf-8")
