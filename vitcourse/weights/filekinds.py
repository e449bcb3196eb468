"""What a file is by its bytes, whatever it is called: a checkpoint, or what was saved in place of one."""

import codecs
import json
import zipfile
from pathlib import Path

from vitcourse.errors import CheckpointError

LONGEST_HEADER = 100_000_000  # of safetensors, by its own rules
TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6 begins with this number, pickled
SIGNATURES = (
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a rar archive; unpack it first"),
    (b"\x89HDF", "an HDF5 file, as Keras writes, and no weights of PyTorch"),
    (b"\x93NUMPY", "an array of NumPy, without names"),
    (b"GGUF", "a GGUF file, and no weights of PyTorch"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"%PDF", "a PDF"),
    (b"\x80", "a pickle that torch.save did not write"),
)
PAGES = (
    ("version https://git-lfs", "a Git LFS pointer; git lfs pull fetches the file itself"),
    ("<!doctype html", "an HTML page; the download ended on a web page"),
    ("<html", "an HTML page; the download ended on a web page"),
    ("<", "an XML or HTML page"),
)


def form_of(file: Path) -> str:
    """ "safetensors" or "torch" (what torch.save writes), by the file's content.

    Raises:
        CheckpointError: there is no such file, it is cut off, or it is something else, which is named.
    """
    if file.is_dir():
        raise CheckpointError("it is a folder, not a file of weights", file)
    if not file.is_file():
        raise CheckpointError("there is no such file", file)
    start = _start(file)
    header = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and header <= LONGEST_HEADER:
        _check_length(file, header)
        return "safetensors"
    if start.startswith(b"PK"):
        _check_zip(file)
        return "torch"
    if start.startswith(b"\x80") and start[2:].startswith(TORCH_MAGIC):
        return "torch"
    raise CheckpointError(f"it is {kind_of(file)}", file)


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(1024)


def _check_length(file: Path, header: int) -> None:
    size = file.stat().st_size
    with file.open("rb") as stream:
        stream.seek(8)
        text = stream.read(header)
    whole = 8 + header
    if size >= whole:
        try:
            tensors = {name: entry for name, entry in json.loads(text).items() if name != "__metadata__"}
            whole += max((int(entry["data_offsets"][1]) for entry in tensors.values()), default=0)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise CheckpointError("it begins as safetensors do, but its header cannot be read", file) from error
    if size < whole:
        raise CheckpointError(f"it is cut off: {size:,} bytes of {whole:,} or more", file)


def _check_zip(file: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise CheckpointError("it is cut off or damaged: it begins as a zip archive and has no end", file) from error
    parts = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in parts:
        raise CheckpointError("it is a TorchScript program; save the state_dict() of its model", file)
    if names and all(name.endswith(".npy") for name in names):
        raise CheckpointError("it is an archive of NumPy arrays (.npz), and no weights of PyTorch", file)
    if "data.pkl" not in parts:
        raise CheckpointError(f"it is a zip archive that torch.save did not write, of {len(names)} files", file)


def kind_of(file: Path) -> str:
    """What a file is that is no checkpoint, in a few words."""
    start = _start(file)
    if not start:
        return "empty"
    if not any(start):
        return "filled with zeros: the download did not finish"
    for signature, kind in SIGNATURES:
        if start.startswith(signature):
            return kind
    if start[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start).strip()
    except UnicodeDecodeError:
        text = "\0"
    if any(ord(letter) < 32 and not letter.isspace() and letter != "\x1b" for letter in text):
        return "of an unknown kind, neither safetensors nor written by torch.save"
    for words, kind in PAGES:
        if text.lower().startswith(words):
            return kind
    if text.startswith(("{", "[")):
        index = '"weight_map"' in text
        return "a JSON file, the index of weights in several files" if index else "a JSON file"
    first = "".join(letter for letter in text.partition("\n")[0] if letter.isprintable())
    return f"a text file that begins {first[:40]!r}" if first else "a file of blanks"
