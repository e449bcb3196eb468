import re

from vitcourse.asl.table import PUBLISHED, results_table


def run(accuracy):
    measured = {"accuracy": accuracy, "loss": 0.5, "iou50": 1.0, "iou75": 0.75, "iou90": 0.125, "mean_iou": 0.8}
    return {"train": measured | {"accuracy": 1.0}, "valid": measured}


def cells_of(table):
    rows = re.findall("<tr>(.*?)</tr>", table)
    return [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_the_table_holds_published_and_recorded_rows():
    rows = cells_of(results_table({"ours": [run(0.2), run(0.4)], "one seed": [run(0.25)]}))
    assert {len(row) for row in rows} == {8}
    assert len(rows) == 1 + len(PUBLISHED) + 2
    assert rows[0][3] == "valid<br>accuracy"
    assert rows[1][1:4] == ["–", "–", "88.88%"]
    assert rows[2] == [
        "ResNet-18 (published)",
        *("100.00%", "0.0099", "88.19%", "0.4073", "100.00%", "84.72%", "13.19%"),
    ]
    assert rows[-2][0] == "<strong>ours</strong>"
    assert rows[-2][3] == "30.0%<br><small>20.0–40.0</small>"
    assert rows[-2][6] == "75.0%<br><small>75.0–75.0</small>"
    assert rows[-1][3:5] == ["25.00%", "0.5000"]
