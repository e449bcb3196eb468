"""Figures on disk."""

import pytest
from matplotlib import pyplot as plt

from vitcourse.figures import plots


@pytest.mark.parametrize(("suffix", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_figure_has_the_format_of_its_ending(tmp_path, suffix, begin):
    figure, _ = plt.subplots()
    plots.save(figure, tmp_path / "new" / f"a.{suffix}")
    assert (tmp_path / "new" / f"a.{suffix}").read_bytes().startswith(begin)
    assert not plt.fignum_exists(figure.number)


def test_a_figure_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    figure, _ = plt.subplots()
    file = tmp_path / "a.png"
    file.write_bytes(b"old")

    def half(path, **_):
        path.write_bytes(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(OSError, match="the disk is full"):
        plots.save(figure, file)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert file.read_bytes() == b"old"
    assert not plt.fignum_exists(figure.number)
