from vitcourse.asl.table import PUBLISHED, results_table


def run(accuracy):
    measured = {"accuracy": accuracy, "loss": 0.5, "iou50": 1.0, "iou75": 0.75, "iou90": 0.125, "mean_iou": 0.8}
    return {"train": measured | {"accuracy": 1.0}, "valid": measured}


def test_the_table_holds_published_and_recorded_rows():
    table = results_table({"ours": [run(0.2), run(0.4)], "one seed": [run(0.25)]})
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()]
    assert {len(line) for line in lines} == {8}
    assert len(lines) == 2 + len(PUBLISHED) + 2
    assert lines[0][3] == "valid accuracy"
    assert lines[3] == [
        "ResNet-18 (published)",
        *("100.00%", "0.0099", "88.19%", "0.4073", "100.00%", "84.72%", "13.19%"),
    ]
    assert lines[2][1:3] == ["–", "–"]
    assert lines[-2][0] == "**ours**"
    assert lines[-2][3] == "30.00% (20.00% to 40.00%)"
    assert lines[-2][6:] == ["75.00% (75.00% to 75.00%)", "12.50% (12.50% to 12.50%)"]
    assert lines[-1][3:5] == ["25.00%", "0.5000"]
