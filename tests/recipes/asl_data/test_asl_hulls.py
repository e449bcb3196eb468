"""The recorded run of boxes that grew, at a small size, and what is recorded."""

import torch

from vitcourse import results
from vitcourse.data.asl import load, shrink
from vitcourse.recipes.asl_data import asl_hulls


def test_a_small_rendered_set_is_measured_against_the_truth():
    row = asl_hulls.rendered(2, photos=16, size=128)
    grown, tight = row["hulls"], row["tight"]
    assert tight["how"] == "nothing"
    assert tight["before"] == tight["after"] == {"mean_iou": 1.0, "iou90": 1.0}
    assert grown["before"]["mean_iou"] < grown["constant"]["0.08"]["mean_iou"]
    assert set(grown["constant"]) == {"0.04", "0.06", "0.08", "0.1"}
    assert 0.03 < grown["growth"]["k"] < 0.13
    assert (grown["how"] == "solved") == (grown["degrees_off"] is not None)


def test_growth_is_counted_on_whole_boxes(export):
    train = load(export, "train")
    tight = shrink(train.boxes, train.sizes, 0.1)
    found = asl_hulls.growth(train, tight)
    assert 0 < found["whole"] <= len(train)
    assert found["k"] == 0.1
    assert torch.equal(train.boxes, load(export, "train").boxes)


def test_what_is_recorded():
    recorded = results.load("asl_hulls")
    for row in recorded["rows"]:
        assert row["tight"]["how"] == "nothing"
        assert row["hulls"]["after"]["mean_iou"] > row["hulls"]["constant"]["0.08"]["mean_iou"] > 0.92
        assert 0.9 < row["hulls"]["within_two"] < 1
    real = recorded["real"]
    assert (real["how"], real["valid"]) == ("solved", "nothing")
    assert real["constant"][str(recorded["k"])]["mean_iou"] > 0.95 > real["before"]["mean_iou"]
