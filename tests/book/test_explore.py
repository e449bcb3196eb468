"""Figures that compute in the page, on a small book that is really built: each is held to PyTorch, and to its manners.

Without scripts and in print a still figure stands there; nothing large is loaded before it is wanted.
"""

import base64
import math
from io import BytesIO

import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from page_checks import visit, watch
from PIL import Image
from small_books import build, write_book

from tests.notebooks import sample
from vitcourse import results
from vitcourse.asl import aligned_iou
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.attention import attention
from vitcourse.data.asl import resize
from vitcourse.data.images import decode
from vitcourse.explain import rollout
from vitcourse.hands import render
from vitcourse.notebooks.plain import plain_markdown
from vitcourse.patches import patchify
from vitcourse.recipes.asl_finetuning import sign_pictures
from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model

LESSON, MORE = "lessons/01_attention/attention", "lessons/06_vit/vit"
MASK = ":::{explore} mask A claim\n:still: figure\n:::"
FIGURE = """\
from matplotlib import pyplot as plt

from vitcourse.figures import plots

plots.use_style()
plt.figure(figsize=(4, 2)).suptitle("Nothing is hidden")
plt.show()"""
TOKENS = ":::{explore} tokens Larger scores make a harder choice\n:still: 2\n:::"
INDEX = """\
# A small book

:::{explore} hand Cover a finger
The model has named the letter.
:::
"""


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    cells = [
        new_markdown_cell(f"# A lesson\n\nText.\n\n{TOKENS}", id="title"),
        new_code_cell(sample.SLIDER, id="slider"),
    ]
    notebook = new_notebook(cells=[*cells, new_markdown_cell("The end.", id="end")], metadata=sample.KERNEL)
    others = new_notebook(metadata=sample.KERNEL)
    for kind in ("heads", "patches"):
        text = f":::{{explore}} {kind} A claim\n:still: 0\n:::"
        text = f"# More\n\n{text}" if kind == "heads" else text
        others.cells += [new_markdown_cell(text, id=kind), new_code_cell(sample.SLIDER, id=f"{kind}-slider")]
    others.cells.append(new_markdown_cell(":::{explore} box A claim\nThe boxes nearly meet.\n:::", id="box"))
    others.cells += [new_markdown_cell(MASK, id="mask"), new_code_cell(FIGURE, id="figure")]
    root = write_book(tmp_path_factory.mktemp("explore"), {LESSON: notebook, MORE: others})
    (root / "index.md").write_text(INDEX, encoding="utf-8")
    done = build(root)
    assert done.returncode == 0, done.stdout
    return root / "_build" / "html"


pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.builds_pages]


def says(page) -> str:
    return page.locator(".explore-says").inner_text()


def encoded(image) -> str:
    """A picture (C, height, width) as a page takes it: channels last, in base64."""
    return base64.b64encode(image.permute(1, 2, 0).contiguous().numpy().tobytes()).decode()


@pytest.mark.parametrize("name", ["index", LESSON, MORE])
def test_the_pages_are_sound(context, html, name):
    assert visit(context, (html / f"{name}.html").as_uri()) == ([], [], [])


def test_the_model_of_the_page_is_that_of_torch(opened):
    page, model = opened("index"), hand_model()
    letters = torch.arange(26)
    images, _ = render(letters, 11, SMALL_VIT.image_size)
    expected = sign_pictures.answers(model, images)
    page.evaluate("async () => { window.model = Vit.load(await Explore.want('sign-model')); }")
    for k, image in enumerate(images):
        said = page.evaluate(
            "pixels => { const said = Vit.run(model, Explore.bytes(pixels));"
            "return {logits: [...said.logits], box: [...said.box], reads: said.reads, parts: [...said.parts]}; }",
            encoded(image),
        )
        logits = torch.tensor(said["logits"])
        assert logits.argmax() == expected["logits"][k].argmax()
        assert (logits - expected["logits"][k]).abs().max() < 0.4  # the weights have 8 bits
        assert (torch.tensor(said["box"]) - expected["box"][k]).abs().max() < 0.01
        assert (torch.tensor(said["reads"]) - expected["reads"][k]).abs().max() < 0.01
        assert (torch.tensor(said["parts"]).view(24, 24) == expected["parts"][k]).float().mean() > 0.97


def test_a_photo_is_made_smaller_as_torchvision_does_it(opened):
    page = opened("index")
    photo = torch.randint(0, 256, (3, 250, 250), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    opaque = torch.cat([photo, torch.full((1, 250, 250), 255, dtype=torch.uint8)])
    made = page.evaluate(
        "data => [...Vit.resize({data: Explore.bytes(data), width: 250, height: 250}, 96)]", encoded(opaque)
    )
    apart = torch.tensor(made).view(96, 96, 3).permute(2, 0, 1) - resize(photo, 96).int()
    assert apart.abs().max() <= 1  # torchvision rounds after each axis, with weights in whole numbers


def test_the_hand_answers_here_and_loads_its_model_when_it_is_touched(context, html):
    page = context.new_page()
    asked, faults = [], watch(page)
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto((html / "index.html").as_uri())
    page.get_by_role("button", name="Picture 8").wait_for()
    assert says(page).startswith("It says W")
    assert "sign-model.js" not in asked
    picture = page.get_by_role("application")
    picture.press("ArrowLeft")
    page.get_by_text("Computed in this page").wait_for()
    assert "sign-model.js" in asked
    width = picture.bounding_box()["width"]
    picture.click(position={"x": 0.234 * width, "y": 0.25 * width})  # the index finger: three fingers become two
    page.wait_for_function("location.hash.includes('cover=0.23')")
    page.wait_for_function("document.querySelector('.hand-letter').textContent === 'V'")
    assert says(page).startswith("With this part covered it says V")
    picture.press("Delete")
    page.wait_for_function("document.querySelector('.hand-letter').textContent === 'W'")
    page.get_by_role("button", name="parts of the hand").click()
    page.wait_for_function("document.querySelector('.explore-says').textContent.includes('little finger')")
    assert faults == []
    page.close()


def test_the_recorded_pictures_are_answered_as_they_were(opened):
    page = opened("index")
    page.get_by_role("application").press("ArrowLeft")
    page.get_by_text("Computed in this page").wait_for()
    for place, recorded in enumerate(results.load("sign_pictures")["pictures"]):
        page.evaluate(f"location.hash = '#explore-hand?picture={place}'")
        letter, share = recorded["top"][0]
        page.wait_for_function(f"document.querySelectorAll('.hand-thumbs button')[{place}].ariaPressed === 'true'")
        page.wait_for_function(f"document.querySelector('.hand-letter').textContent === '{letter}'")
        right = letter == recorded["letter"]
        page.wait_for_function(
            f"document.querySelector('.explore-says').textContent.includes('{'right' if right else 'wrong'}')"
        )
        assert share > 0.9


def test_an_own_photo_stays_in_the_page_and_a_camera_may_be_refused(context, html, tmp_path):
    page = context.new_page()
    faults = watch(page)
    page.goto((html / "index.html").as_uri())
    image, _ = render(torch.tensor([24]), 7, 200, first=24)
    Image.fromarray(image[0].permute(1, 2, 0).numpy()).save(tmp_path / "hand.png")
    page.locator("input[type=file]").set_input_files(tmp_path / "hand.png")
    page.wait_for_function("document.querySelector('.hand-letter').textContent === 'Y'")
    assert "always names a letter" in says(page)
    (tmp_path / "text.png").write_text("no picture")
    page.locator("input[type=file]").set_input_files(tmp_path / "text.png")
    page.wait_for_function("document.querySelector('.explore-says').textContent.startsWith('That is no picture')")
    refuse = "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no')); }"
    page.evaluate(refuse)
    page.get_by_role("button", name="Camera").click()
    page.wait_for_function(
        "document.querySelector('.explore-says').textContent.startsWith('The camera may not be used')"
    )
    assert faults == []
    page.close()


def test_tokens_attend_as_torch_does(opened):
    page = opened(LESSON)
    draws = torch.Generator().manual_seed(0)
    for factor in (0, 1, 32):
        query, *keys = (6 * torch.rand(4, 2, generator=draws, dtype=torch.float64) - 3).tolist()
        state = {"query": query, "factor": factor} | dict(zip(("cat", "mat", "it"), keys, strict=True))
        said = page.evaluate("state => Explore.kinds.tokens.attend(state)", state)
        scaled = factor * torch.tensor([query], dtype=torch.float64)
        values = torch.tensor([[10.0, 0], [0, 10], [0, 0]], dtype=torch.float64)
        output, weights = attention(scaled, torch.tensor(keys, dtype=torch.float64), values)
        torch.testing.assert_close(torch.tensor([said["weights"]], dtype=torch.float64), weights, rtol=0, atol=1e-12)
        torch.testing.assert_close(torch.tensor([said["output"]], dtype=torch.float64), output, rtol=0, atol=1e-11)
        entropy = torch.special.entr(weights).sum().item() / math.log(2)
        assert abs(said["entropy"] - entropy) < 1e-12


def test_heads_read_what_is_recorded_and_torch_computes(opened):
    """What the page unpacks is what the model says of the picture, head by head, and the rollout of it."""
    page, model, on_hand = opened(MORE), hand_model(), []
    for recorded in results.load("sign_pictures")["looks"]:
        image = decode(BytesIO(base64.b64decode(recorded["png"])))
        weights = sign_pictures.answers(model, image[None])["weights"]  # (1, 6, 3, 37, 37)
        found = page.evaluate(
            "look => Explore.kinds.heads.tables(look).map(layer => layer.map(map => [...map]))", recorded
        )
        found = torch.tensor(found).view(6, 4, 37, 37)
        torch.testing.assert_close(found[:, :3], weights[0], rtol=0, atol=1e-4)
        for layer in range(6):
            rolled = rollout([weights[:, k] for k in range(layer + 1)])[0]
            torch.testing.assert_close(found[layer, 3], rolled, rtol=0, atol=1e-4)
        mean = rolled[1:, 1:].mean(dim=0)
        shares = page.evaluate("table => [...Explore.kinds.heads.shares(table, -1)]", found[5, 3].flatten().tolist())
        torch.testing.assert_close(torch.tensor(shares), mean / mean.sum(), rtol=0, atol=1e-4)
        if recorded["hand"]:
            hand = torch.tensor(recorded["hand"]).float()
            on_hand.append(((mean / mean.sum()) @ hand, hand.mean()))
    told = page.evaluate(
        "looks => { const made = looks.map(look => ({...look, tables: Explore.kinds.heads.tables(look)}));"
        "return Explore.kinds.heads.overHands(made, 6, 3); }",
        results.load("sign_pictures")["looks"],
    )
    torch.testing.assert_close(torch.tensor(told), torch.tensor(on_hand).mean(dim=0), rtol=0, atol=1e-4)


def test_heads_are_shown_for_the_patch_that_asks(opened):
    page = opened(MORE)
    figure = page.locator(".explore-heads")
    page.wait_for_function(
        "document.querySelector('.explore-heads .explore-says').textContent.startsWith('Rolled out')"
    )
    figure.get_by_role("application").press("ArrowRight")
    figure.get_by_role("button", name="head 2").click()
    figure.get_by_role("slider", name="layer").press("Home")
    said = figure.locator(".explore-says").inner_text()
    assert said.startswith("Layer 1, head 2: ")
    assert "the framed patch reads" in said
    figure.get_by_role("button", name="a flower").click()
    assert "lights up all the same" in figure.locator(".explore-says").inner_text()


def test_a_box_is_judged_as_the_course_does(opened):
    page = opened(MORE)
    boxes = torch.rand(2, 60, 4, generator=torch.Generator().manual_seed(0))  # some inverted, some apart
    found = page.evaluate("([a, b]) => a.map((box, k) => Explore.kinds.box.iou(box, b[k]))", boxes.tolist())
    torch.testing.assert_close(torch.tensor(found), aligned_iou(*boxes), rtol=0, atol=1e-6)
    figure = page.locator(".explore-box")
    figure.locator("tbody tr").first.wait_for()
    figure.locator(".explore-live svg").scroll_into_view_if_needed()
    area = figure.locator(".explore-live svg").bounding_box()
    edges = results.load("sign_pictures")["pictures"][1]["true"]
    left, top, right, bottom = (area["xy"[k % 2]] + edge * area["width"] for k, edge in enumerate(edges))
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=3)
    page.mouse.up()
    assert "it counts at IoU@50 and IoU@75 and IoU@90" in figure.locator(".explore-says").inner_text()
    figure.get_by_role("slider", name="lower right corner").press("ArrowLeft")
    assert figure.locator("tbody tr").count() == 3


def test_patches_are_counted_as_torch_cuts_them(opened):
    page = opened(MORE)
    for side in (112, 16, 7):
        cut = patchify(torch.zeros(1, 3, 224, 224), side)
        counted = page.evaluate(f"Explore.kinds.patches.count({side})")
        assert counted == {"patches": cut.shape[1], "numbers": cut.shape[2], "weights": (cut.shape[1] + 1) ** 2}
    figure = page.locator(".explore-patches")
    figure.get_by_role("slider", name="side of a patch").press("End")
    figure.get_by_role("button", name="mixed").click()
    assert "1,024 of them, each of 147 numbers" in figure.locator(".explore-says").inner_text()


def test_state_is_in_the_address_and_comes_back(opened):
    page = opened(LESSON)
    assert "cat 0.67, mat 0.16, it 0.16" in says(page)
    page.get_by_role("slider", name="query of it").press("ArrowUp")
    page.wait_for_function("location.hash === '#explore-tokens?query=2,0.1'")
    assert "cat 0.66, mat 0.17" in says(page)
    page.evaluate("location.hash = '#explore-tokens?query=0,3&factor=32'")
    page.wait_for_function("document.querySelector('.explore-says').textContent.includes('it is mat and nothing else')")
    page.evaluate("location.hash = '#explore-tokens?query=1,x&factor=&cat=1&style=red'")  # of no use, so not used
    page.wait_for_function("document.querySelector('.explore-says').textContent.includes('cat 0.67')")
    page.get_by_role("slider", name="factor on the scores").press("End")
    page.get_by_role("button", name="Start again").click()
    assert "cat 0.67" in says(page)


def test_a_handle_is_dragged(opened):
    page = opened(LESSON)
    handle = page.get_by_role("slider", name="key of mat")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] - 40, steps=4)
    page.mouse.up()
    x, y = map(float, handle.get_attribute("aria-valuetext").split(", "))
    assert x > 1
    assert y > 1
    assert handle.evaluate("handle => handle === document.activeElement")


def test_without_scripts_and_in_print_a_still_figure_says_it(browser, html):
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto((html / "index.html").as_uri())
    assert page.locator(".explore img").is_visible()
    assert page.get_by_text("The model has named the letter.").is_visible()
    page.goto((html / f"{LESSON}.html").as_uri())
    assert page.locator(".explore .plot").get_attribute("aria-label") == "Three bars. (height of the first bar: 3)"
    assert page.locator(".frames").count() == 0  # the explorable stands in its place
    page.goto((html / f"{MORE}.html").as_uri())
    assert page.locator(".explore-mask .plot").is_visible()
    assert page.locator(".cell").count() == 0
    plain.close()
    page = browser.new_page()
    page.goto((html / f"{LESSON}.html").as_uri())
    page.emulate_media(media="print")
    assert page.locator("article h1").is_visible()
    assert page.locator(".explore-live svg").first.is_visible()
    assert not page.locator(".explore-controls").is_visible()
    page.close()


@pytest.mark.parametrize(("still", "told"), [("99", "no frame 99 of a slider"), ("figure", "no figure")])
def test_explorables_that_cannot_be_made_are_told(tmp_path, still, told):
    root = write_book(tmp_path, {}, "book/notation")
    (root / "lessons").mkdir()
    unknown, unsaid = ":::{explore} nothing A claim\n:::", ":::{explore} tokens\n:::"
    text = "\n\n".join(["# A small book", unknown, unsaid, TOKENS.replace("2", still)])
    (root / "index.md").write_text(f"{text}\n", encoding="utf-8")
    done = build(root)
    assert done.returncode == 1
    assert done.stdout.count("of a kind in: ") >= 2
    assert f"{told} follows its explorable" in done.stdout


def test_a_notebook_has_the_slider_alone():
    assert plain_markdown(f"Before.\n\n{TOKENS}\n\nAfter.").split() == ["Before.", "After."]
