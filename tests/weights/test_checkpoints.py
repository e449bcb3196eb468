"""The reader of checkpoints: what people wrap around weights, what they keep beside them, and what is none."""

import argparse
import collections
import datetime
import gzip
import io
import os
import pathlib
import pickle
import random
import subprocess
import types
import uuid
import warnings
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vitcourse.errors import CheckpointError
from vitcourse.weights.checkpoints import load, pick, read


def state(value=1.0):
    return {"conv1.weight": torch.full((2, 3), value), "layer1.0.bn.bias": torch.full((2,), value)}


def prefixed(prefix, value=1.0):
    return {prefix + name: tensor for name, tensor in state(value).items()}


def same(first, second):
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def saved(content, folder, name="checkpoint.pth", **options):
    torch.save(content, folder / name, **options)
    return folder / name


WRAPPED = {
    "bare": state,
    "ordered": lambda: collections.OrderedDict(state()),
    "default dict": lambda: collections.defaultdict(list, state()),
    "parameters": lambda: {name: nn.Parameter(tensor) for name, tensor in state().items()},
    "flat, with an epoch": lambda: state() | {"epoch": 3, "args": argparse.Namespace(lr=1.0)},
    **{
        name: (lambda name=name: {name: state(), "epoch": 3})
        for name in ("state_dict", "model", "model_state_dict", "net", "module", "ema", "teacher", "generator")
    },
    "beside an optimiser": lambda: {
        "epoch": 3,
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
        "optimizer_by_name": {"conv1.weight": {"exp_avg": torch.ones(2)}},
        "rng_state": torch.get_rng_state(),
        "random": {"cpu": torch.get_rng_state()},
        "model": state(),
    },
    "nests": lambda: {"model": {"state_dict": {"module": state()}}},
    "lightning": lambda: {"state_dict": prefixed("model."), "callbacks": {"x": {"best": torch.ones(1)}}, "loops": {}},
    **{
        prefix: (lambda prefix=prefix: prefixed(prefix))
        for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "backbone.")
    },
    "wrapped within": lambda: {
        name.replace("layer1.", "layer1._orig_mod."): tensor for name, tensor in prefixed("model.module.").items()
    },
    "averaged by torch": lambda: {"state_dict": {"n_averaged": torch.tensor(7)} | prefixed("module.")},
    "a nest of a teacher": lambda: {"teacher": {"backbone": state(), "head": {"weight": torch.ones(1)}}},
}


@pytest.mark.parametrize("form", WRAPPED)
@pytest.mark.parametrize("new", [True, False])
def test_weights_are_unwrapped(tmp_path, form, new):
    file = saved(WRAPPED[form](), tmp_path, _use_new_zipfile_serialization=new)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(file)
    assert same(found, state())
    assert not any(tensor.requires_grad for tensor in found.values())


@pytest.mark.parametrize(
    ("content", "taken", "left"),
    [
        ({"state_dict": state(), "state_dict_ema": state(2.0)}, "state_dict_ema", "state_dict"),
        ({"model": state(), "model_ema": state(2.0)}, "model_ema", "model"),
        ({"model": state(), "ema": {"module": state(2.0), "decay": 0.999}}, "ema", "model"),
        ({"student": state(), "teacher": state(2.0)}, "teacher", "student"),
        ({"student": prefixed("module."), "teacher": prefixed("module.backbone.", 2.0)}, "teacher", "student"),
    ],
)
def test_of_several_sets_one_is_taken_and_the_other_is_named(tmp_path, content, taken, left):
    with pytest.warns(UserWarning, match=f"of several sets of weights {taken} is taken, and not {left}$"):
        assert same(read(saved(content, tmp_path)), state(2.0))


def test_several_sets_of_unknown_names_are_named(tmp_path):
    file = saved({"netG": state(), "netD": state(), "epoch": 3}, tmp_path)
    with pytest.raises(CheckpointError, match="several sets of weights: netG, netD; save one of them alone"):
        read(file)


def test_a_checkpoint_within_itself_ends(tmp_path):
    content = {"model": {}}
    content["model"]["model"] = content
    with pytest.raises(CheckpointError, match="holds no tensors"):
        read(saved(content, tmp_path))


PLAIN = {
    "namespace": argparse.Namespace(lr=0.1, nested=argparse.Namespace(x=[1]), out=pathlib.Path("/runs")),
    "simple namespace": types.SimpleNamespace(a=1),
    "default dict": collections.defaultdict(list, {"loss": [1.0]}),
    "default dict of dicts": collections.defaultdict(dict, a={}),
    "counter": collections.Counter("abca"),
    "deque": collections.deque([1, 2], maxlen=5),
    "path": pathlib.PurePosixPath("/a"),
    "windows": pathlib.PureWindowsPath("C:/a"),
    "sets": [{1, 2}, frozenset({3}), range(3), slice(1, 2), 1j, b"bytes", bytearray(b"x")],
    "scalars": [np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True), np.str_("a")],
    "keys": {np.int64(3): 1, pathlib.PurePosixPath("a"): 2},
    "arrays": [np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.array([None, {"x": 1}], dtype=object)],
    "types": [np.dtype("float32"), np.dtype(">i4"), np.float32, np.int64, int, str],
    "random": [np.random.RandomState(0).get_state(), random.getstate()],
    "dates": [datetime.datetime(2024, 5, 1, 12), datetime.date(2024, 5, 1), datetime.timedelta(hours=2)],
    "zones": datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
    "others": [uuid.UUID(int=5), torch.Size([1, 2]), torch.float16, torch.device("cpu"), torch.__version__],
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_data_beside_the_weights_is_no_obstacle(tmp_path, kind):
    for new in (True, False):
        file = saved({"args": PLAIN[kind], "model": state()}, tmp_path, _use_new_zipfile_serialization=new)
        assert same(read(file), state())
    with pytest.raises(pickle.UnpicklingError):  # what is allowed is allowed here alone
        torch.load(saved(argparse.Namespace(), tmp_path), weights_only=True)


def test_numbers_of_numpy_stay_numbers(tmp_path):
    values = [np.float64(0.25), np.float32(-1.5), np.int64(-3), np.uint8(200), np.bool_(True), np.str_("né")]
    found = load(saved(values, tmp_path))
    assert found == values
    assert [type(value) for value in found] == [float, float, int, int, bool, str]


class Calls:
    """A pickle of it calls a function with arguments."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch executed",), "system"),
        (eval, ("open('executed', 'w')",), "eval"),
        (exec, ("open('executed', 'w')",), "exec"),
        (getattr, (pathlib.Path, "touch"), "getattr"),
        (subprocess.check_call, (["touch", "executed"],), "check_call"),
        (pathlib.Path("executed").touch, (), "getattr"),
        (torch.nn.Linear, (1, 1), "Linear"),
        (np.fromfile, ("executed",), "fromfile"),
    ],
)
def test_no_code_is_run_and_what_asks_for_it_is_named(tmp_path, monkeypatch, new, function, arguments, name):
    monkeypatch.chdir(tmp_path)
    content = {"model": state(), "args": [argparse.Namespace(x=Calls(function, *arguments))]}
    file = saved(content, tmp_path, _use_new_zipfile_serialization=new)
    with pytest.raises(CheckpointError, match=rf"it holds a (\w+\.)*{name}, whose code would have to run") as caught:
        read(file)
    assert one(caught)
    assert not (tmp_path / "executed").exists()


def test_a_whole_model_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds a torch\.nn\.modules\.\w+\.\w+, whose code"):
        read(saved(nn.Sequential(nn.Linear(1, 1)), tmp_path))


def one(caught):
    """Whether a message is one line without another library's advice or colours."""
    text = str(caught.value)
    return "\n" not in text and "\x1b" not in text and "weights_only" not in text and len(text) < 400


def bytes_of(content, **options):
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


def archive(names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"x" * 200)
    return stream.getvalue()


def safetensors(folder):
    save_file(state(), folder / "made.safetensors")
    return (folder / "made.safetensors").read_bytes()


TAR = b"weights.pth".ljust(257, b"\0") + b"ustar\x0000" + bytes(300)
NONE = {
    "empty": (b"", "is empty$"),
    "zeros": (bytes(4000), "filled with zeros"),
    "html": (b"\n<!DOCTYPE html>\n<html>\x1b[31m", "an HTML page"),
    "html, marked": (b"\xef\xbb\xbf<HTML lang=en>", "an HTML page"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied", "an XML or HTML page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "a Git LFS pointer"),
    "json": (b'{"hidden_size": 768}', "a JSON file$"),
    "index": (b'{"metadata": {}, "weight_map": {"a": "b"}}', "the index of weights in several files"),
    "text": (b"Entry not found", "a text file that begins 'Entry not found'"),
    "colours": (b"\x1b[31mno\x1b[0m", "a text file that begins '.31mno.0m'"),
    "bytes": (bytes(range(256)), "of an unknown kind"),
    "gzip": (gzip.compress(bytes(100)), "a gzip archive"),
    "tar": (TAR, "a tar archive"),
    "zip": (archive(["a.txt", "b.txt"]), "a zip archive that torch.save did not write, of 2 files"),
    "npz": (archive(["a.npy"]), "an archive of NumPy arrays"),
    "script": (archive(["m/data.pkl", "m/constants.pkl"]), "a TorchScript program"),
    "zip cut off": (bytes_of(state())[:-200], "cut off or damaged"),
    "old form cut off": (bytes_of(state(), _use_new_zipfile_serialization=False)[:-20], "torch.save writes, and is"),
    "pickle": (pickle.dumps({"a": 1}), "a pickle that torch.save did not write"),
    "protocol": (bytes_of(state(), pickle_protocol=4), "a later pickle protocol"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "list": (bytes_of([1, 2]), "holds a list, not tensors"),
    "one tensor": (bytes_of(torch.ones(2)), "holds a Tensor, not tensors by their names"),
    "no tensors": (bytes_of({"epoch": 3}), "holds no tensors"),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ""])
@pytest.mark.parametrize("kind", NONE)
def test_what_is_no_checkpoint_is_said(tmp_path, kind, suffix):
    content, words = NONE[kind]
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"weights{suffix}: it .*{words}") as caught:
        read(file)
    assert one(caught)


def test_safetensors_that_are_cut_off_or_damaged(tmp_path):
    whole = safetensors(tmp_path)
    file = tmp_path / "weights.bin"
    for end in (50, len(whole) - 1):
        file.write_bytes(whole[:end])
        with pytest.raises(CheckpointError, match=f"it is cut off: {end} bytes of"):
            read(file)
    file.write_bytes(whole[:9] + b"#" + whole[10:])
    with pytest.raises(CheckpointError, match="its header cannot be read"):
        read(file)
    file.write_bytes(whole + b"more")
    with pytest.raises(CheckpointError, match="begins as safetensors do, and is damaged"):
        read(file)


def test_a_folder_and_no_file(tmp_path):
    with pytest.raises(CheckpointError, match="it is a folder"):
        read(tmp_path)
    with pytest.raises(CheckpointError, match=r"no\.pth: there is no such file"):
        read(tmp_path / "no.pth")


def test_the_content_counts_and_not_the_suffix(tmp_path, monkeypatch):
    (tmp_path / "a.pth").write_bytes(safetensors(tmp_path))
    for file in (tmp_path / "a.pth", saved(state(), tmp_path, "b.safetensors"), saved(state(), tmp_path, "c.ckpt")):
        assert same(read(file), state())
    monkeypatch.setenv("HOME", str(tmp_path))
    assert same(read("~/c.ckpt"), state())


SHAPES = {name: tensor.shape for name, tensor in state().items()} | {"layer1.0.bn.num_batches_tracked": torch.Size()}


@pytest.mark.parametrize("prefix", ["", "backbone.", "model.encoder.", "a.b.c."])
def test_one_model_is_picked_out_of_more(prefix):
    found = prefixed(prefix) | {"head.weight": torch.ones(9), "fc.bias": torch.ones(1)}
    assert same(pick(found, SHAPES, "file"), state())


def test_of_two_the_average_is_picked():
    with pytest.warns(UserWarning, match=r"teacher\.backbone is taken, and not student"):
        found = pick(prefixed("student.") | prefixed("teacher.backbone.", 2.0), SHAPES, "file")
    assert same(found, state(2.0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conv1.weight": None}, r"it lacks conv1\.weight$"),
        ({"layer1.1.bn.bias": torch.ones(2)}, r"it has layer1\.1\.bn\.bias, which such a model has not"),
        ({"conv1.weight": torch.ones(2, 1)}, r"conv1\.weight has shape \(2, 1\), and \(2, 3\) is wanted$"),
    ],
)
def test_what_does_not_fit_is_named(change, words):
    found = {name: tensor for name, tensor in (state() | change).items() if tensor is not None}
    with pytest.raises(CheckpointError, match=words):
        pick(found, SHAPES, "file")


def test_never_more_than_five_names():
    wanted = {f"conv{i}.weight": torch.Size([1]) for i in range(1000)}
    for found in ({"x.y": torch.ones(1)}, {name: torch.ones(2) for name in wanted}):
        with pytest.raises(CheckpointError) as caught:
            pick(found, wanted, "file")
        assert str(caught.value).count("conv") == 5
        assert str(caught.value).endswith("conv4.weight and 995 more")
