"""The explorables of lessons 07 and 09 to 11, on a small book: each is held to PyTorch or to what is recorded."""

import base64
import math
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from page_checks import visit
from small_books import build, write_book
from torch import nn

from tests.notebooks import sample
from vitcourse import results
from vitcourse.asl import freeze
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.asl.boxes import two_layers
from vitcourse.data.asl import resize
from vitcourse.data.images import decode
from vitcourse.data.letters import LETTERS
from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model
from vitcourse.recipes.asl_finetuning.sign_pictures import answers
from vitcourse.vit import VARIANTS, VisionTransformer

PAGE = "lessons/07_block_variants/block_variants"
KINDS = ("droppath", "branches", "pulls", "frozen", "sides", "letters")
DRAWN = """\
from matplotlib import pyplot as plt

from vitcourse.figures import plots

plots.use_style()
plt.plot([1, 2])
plt.show()
print("printed below")"""
SHOWN = {"tags": ["hide-input"], "mystnb": {"image": {"alt": "A line that rises."}}}
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.builds_pages]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    cells = [new_markdown_cell("# A lesson\n\nText.", id="title")]
    for kind in KINDS:
        still = ":still: figure\n" if kind in ("branches", "pulls", "sides") else ""
        cells.append(new_markdown_cell(f":::{{explore}} {kind} A claim\n{still}The point.\n:::", id=kind))
        if still:
            cells.append(new_code_cell(DRAWN, id=f"{kind}-figure", metadata=SHOWN))
    root = write_book(tmp_path_factory.mktemp("explore"), {PAGE: new_notebook(cells=cells, metadata=sample.KERNEL)})
    done = build(root)
    assert done.returncode == 0, done.stdout
    return root / "_build" / "html"


@pytest.fixture
def page(opened):
    return opened(PAGE)


def says(page, kind) -> str:
    return page.locator(f".explore-{kind} .explore-says").inner_text()


def wait(page, kind, text):
    page.wait_for_function(
        "([kind, text]) => document.querySelector(`.explore-${kind} .explore-says`).textContent.includes(text)",
        arg=[kind, text],
    )


def go(page, kind, state):
    page.evaluate("address => { location.hash = address; }", f"#explore-{kind}?{state}")


def test_the_page_is_sound(context, html):
    assert visit(context, (html / f"{PAGE}.html").as_uri()) == ([], [], [])


def test_without_scripts_a_still_figure_says_it(browser, html):
    """What replaces a figure shows that figure, and what its cell prints stays; the others have one of their own."""
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto((html / f"{PAGE}.html").as_uri())
    for kind in KINDS:
        figure = page.locator(f".explore-{kind}")
        assert figure.locator(".plot, svg, table, img").first.is_visible()
        assert figure.get_by_text("The point.").is_visible()
    assert page.locator(".plot").count() == 3
    assert page.locator(".cell_output", has_text="printed below").count() == 3
    plain.close()


def test_drop_path_is_that_of_torch(page):
    for rule in ("linear", "constant"):
        state = {"rate": 0.3, "rule": rule, "step": 5}
        config = replace(VARIANTS["ti/16"], drop_path_rate=0.3, drop_path_schedule=rule)
        rates = [block.drop_path1.p for block in VisionTransformer(config).blocks]
        found = page.evaluate("state => Explore.kinds.droppath.rates(state)", state)
        assert found == pytest.approx(rates)
        each = torch.tensor(rates).double().repeat_interleave(2)
        told = page.evaluate("rates => Explore.kinds.droppath.expected(rates)", found)
        assert told["mean"] == pytest.approx((1 - each).sum().item())
        assert told["deviation"] == pytest.approx(math.sqrt((each * (1 - each)).sum().item()))
        kept = page.evaluate(
            "state => Array.from({length: 500}, (_, step) => Explore.kinds.droppath.draw({...state, step}))", state
        )
        share = torch.tensor(kept).double().mean(dim=(0, 1))  # of 4,000 images, for each branch
        torch.testing.assert_close(share, 1 - each, rtol=0, atol=0.04)
    assert "Expected are 21.6" in says(page, "droppath")
    page.get_by_role("button", name="Next step").click()
    assert says(page, "droppath").startswith("Step 2: ")
    page.wait_for_function("location.hash === '#explore-droppath?step=2'")
    page.get_by_role("slider", name="rate", exact=True).press("Home")
    assert says(page, "droppath").startswith("Nothing is dropped")


def test_branches_add_up_as_in_torch(page):
    weights = torch.tensor(page.evaluate("Explore.kinds.branches.WEIGHTS"), dtype=torch.float64)
    start = torch.tensor([1.0, 2.0], dtype=torch.float64)
    for count in (1, 3, 4):
        for gamma in (1, 0.01):
            x = start
            for w in weights[:count]:
                x = x + gamma * torch.tanh(w @ x)
            side = start + gamma * torch.tanh(weights[:count] @ start).sum(dim=0)
            found = page.evaluate(f"Explore.kinds.branches.compare({count}, {gamma})")
            torch.testing.assert_close(torch.tensor(found["tokens"][-1], dtype=torch.float64), x)
            torch.testing.assert_close(torch.tensor(found["side"], dtype=torch.float64), side)
            assert found["gap"] == pytest.approx((x - side).norm().item(), abs=1e-12)
    figure = page.locator(".explore-branches")
    figure.get_by_role("button", name="3", exact=True).click()
    figure.get_by_role("button", name="side by side").click()
    figure.get_by_role("slider", name="gamma").press("End")
    assert "10 times less, and the gap is 100 times smaller" in says(page, "branches")


def test_two_pulls_are_mixed_as_recorded(page):
    for row in results.load("asl_pulls")["rows"]:
        letter = row["letter_pull"] * torch.tensor([row["cosine"], math.sqrt(1 - row["cosine"] ** 2)])
        box = row["box_pull"] * torch.tensor([1.0, 0.0])
        for c in (1, 30):
            found = page.evaluate("([row, c]) => Explore.kinds.pulls.mix(row, c)", [row, c])
            both = letter / c + box
            assert found["sum"] == pytest.approx(both.norm().item(), rel=1e-4)
            assert found["turned"] == pytest.approx(math.atan2(both[1], both[0]), abs=1e-4)
    wait(page, "pulls", "C = 10: the letter pulls 1.1 times as hard")
    go(page, "pulls", "c=1000&heads=trained&loss=giou")
    wait(page, "pulls", "C = 1000: the box pulls ")
    page.locator(".explore-pulls").get_by_role("slider", name="C").press("Home")
    assert says(page, "pulls").startswith("C = 1: the letter pulls ")


def test_what_is_frozen_is_counted_as_torch_does(page):
    base = replace(VARIANTS["b/16"], num_classes=0)
    for name, config, most in (("ours", SMALL_VIT, 6), ("base", base, 12)):
        with torch.device("meta"):  # numbers that take no room
            backbone = VisionTransformer(config)
            parts = nn.ModuleList([backbone, *(two_layers(config.dim, outputs) for outputs in (26, 4))])
        for frozen in (-1, 0, most // 2, most):
            if frozen >= 0:
                freeze(backbone, frozen)
            sizes = [weight.numel() for weight in parts.parameters() if weight.requires_grad]
            counted = page.evaluate(f"Explore.kinds.frozen.count('{name}', {frozen})")
            assert counted["all"] == sum(weight.numel() for weight in parts.parameters())
            assert counted["trained"] == sum(sizes)
            assert (counted["gradients"], counted["states"]) == (4 * sum(sizes), 8 * sum(sizes))
    for row in results.load("frozen_blocks")["rows"]:
        assert (
            page.evaluate(f"Explore.kinds.frozen.count('ours', {row['frozen']})")["trained"]
            == row["trained_parameters"]
        )
    wait(page, "frozen", "3 of 6 blocks are frozen")
    page.locator(".explore-frozen").get_by_role("button", name="ViT-B/16").click()
    page.locator(".explore-frozen").get_by_role("slider").press("End")
    wait(page, "frozen", "12 of 12 blocks are frozen")


def test_sides_add_up_to_the_recorded_box(page):
    record = results.load("asl_sides")
    side = record["side"]
    for picture in record["pictures"]:
        found = page.evaluate(
            "([picture, side]) => { const {unpack, locate} = Explore.kinds.sides, maps = unpack(picture, side);"
            "return [0, 1, 2, 3].map(k => [locate(maps, k, side).at, locate(maps, k, side, [5, 6]).at]); }",
            [picture, side],
        )
        plain, covered = torch.tensor(found).T
        torch.testing.assert_close(plain, torch.tensor(picture["box"]), rtol=0, atol=0.006)  # the maps have 8 bits
        torch.testing.assert_close(covered, box_without(picture, side, rows=(5, 7), columns=(4, 6)), rtol=0, atol=1e-4)
    figure = page.locator(".explore-sides")
    wait(page, "sides", "For the top side ")
    figure.get_by_role("button", name="left").click()
    figure.get_by_role("application").press("ArrowUp")
    assert says(page, "sides").startswith("Without these places the left side is put at ")
    figure.get_by_role("application").press("Delete")
    wait(page, "sides", "For the left side ")


def box_without(picture: dict, side: int, rows: tuple[int, int], columns: tuple[int, int]) -> torch.Tensor:
    """The box of the recorded maps without the places in these rows and columns, ends included."""
    maps = []
    for name, kind, most in (("shares", torch.uint8, 255), ("offsets", torch.int8, 127)):
        numbers = torch.frombuffer(bytearray(base64.b64decode(picture[name]["bytes"])), dtype=kind)
        maps.append(numbers.view(4, side, side) * torch.tensor(picture[name]["scales"]).view(4, 1, 1) / most)
    shares, offsets = maps
    shares[:, rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = 0
    shares /= shares.sum(dim=(1, 2), keepdim=True)
    middles = (torch.arange(side) + 0.5) / side
    across, down = shares.sum(dim=1) @ middles, shares.sum(dim=2) @ middles
    return torch.stack([across[0], down[1], across[2], down[3]]) + (shares * offsets).sum(dim=(1, 2)) / side


def test_ten_hands_are_answered_as_the_model_does(page):
    hands = page.evaluate("Explore.want('ten-hands')")
    images = [resize(decode(BytesIO(base64.b64decode(hand["jpeg"]))), SMALL_VIT.image_size) for hand in hands]
    shares = answers(hand_model(), torch.stack(images))["logits"].softmax(dim=1)
    assert [LETTERS[k] for k in shares.argmax(dim=1)] == [hand["said"] for hand in hands]
    figure = page.locator(".explore-letters")
    figure.get_by_role("button", name=hands[0]["letter"], exact=True).click()
    assert says(page, "letters").startswith(f"{hands[0]['letter']} is right. The model says {hands[0]['said']} (")
    figure.get_by_role("button", name="Next hand").click()
    wrong = "Z" if hands[1]["letter"] != "Z" else "A"
    figure.get_by_role("button", name="B", exact=True).press(wrong)
    assert f"It is {hands[1]['letter']}, not {wrong}" in says(page, "letters")
    assert "After 2 of 10: you 1, the model " in says(page, "letters")
    go(page, "letters", "turn=9&said=" + "".join(hand["letter"] for hand in hands))
    right = sum(hand["said"] == hand["letter"] for hand in hands)
    wait(page, "letters", f"After 10 of 10: you 10, the model {right}.")
    assert 0 < right < 10  # one that errs, so that nobody takes it for an oracle
