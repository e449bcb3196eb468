"""The figures of the lessons with tokens and text, without a book around them: each is held to PyTorch."""

import math

import pytest
import torch
from course_explore import DATA, KINDS
from page_checks import watch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from tests.helpers import ROOT
from vitcourse import results
from vitcourse.attention import attention
from vitcourse.data.sequences import END, START, TARGET_LENGTH, VOCABULARY, NumberPairs, in_words
from vitcourse.data.text import SPECIAL
from vitcourse.explain import intermediates
from vitcourse.positions import sinusoidal
from vitcourse.recipes.bert import bert_models
from vitcourse.recipes.transformer import number_models
from vitcourse.transformer import greedy_decode

SHOWN = ("mask", "clocks", "number", "gap")
TEXTS = (
    "An exception is raised.",
    "If the list is empty, the loop isn't run: it's (nearly) unhashable!",
    "  Naïve café, ÉTÉ\tx2 — “quoted” 中文 <b>$5</b> zzz\u0301q \U0001f600 ",
    "",
)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """A page of four figures far below one another, with the scripts that a page of the book would load."""
    folder = tmp_path_factory.mktemp("explore")
    scripts = dict.fromkeys(["explore", *(script for kind in SHOWN for script in (*KINDS[kind][0], kind))])
    for name in scripts:
        (folder / f"{name}.js").write_text((ROOT / "book/assets/explore" / f"{name}.js").read_text())
    for name in {name for kind in SHOWN for name in KINDS[kind][1]}:
        (folder / f"{name}.js").write_text(DATA[name]())
    head = "".join(f'<script src="{name}.js" defer></script>' for name in scripts)
    figures = "".join(
        f'<figure class="explore explore-{kind}" id="explore-{kind}" data-explore="{kind}" style="margin-top: 3000px">'
        '<div class="explore-still">Still.</div></figure>'
        for kind in SHOWN
    )
    (folder / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{head}{figures}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def page(browser, html):
    page = browser.new_page()
    faults = watch(page)
    page.goto((html / "page.html").as_uri())
    yield page
    assert faults == []
    page.close()


pytestmark = [pytest.mark.browser]


def figure(page, kind: str):
    found = page.locator(f".explore-{kind}")
    found.scroll_into_view_if_needed()
    page.wait_for_function(f"document.querySelector('.explore-{kind} .explore-says')?.textContent")
    return found


def says(found) -> str:
    return found.locator(".explore-says").inner_text()


def near(found, expected, apart=1e-4):
    found = torch.tensor(found, dtype=expected.dtype)
    torch.testing.assert_close(found, expected, rtol=0, atol=apart, equal_nan=True)


def test_what_is_large_comes_when_a_reader_is_near(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    assert page.locator(".explore-still").count() == 2  # number and gap: not yet
    figure(page, "number")
    assert {"numbers.js", "numbers-3.js"} <= set(asked)
    assert not [name for name in asked if name.startswith("bert") or name in ("numbers-0.js", "numbers-2.js")]


def test_a_mask_hides_as_in_torch(page):
    draws = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.tensor(rows, dtype=torch.float64)
        for rows in ([[0, 1], [1, 0], [2, 0]], [[1, 0], [0, 1], [0, 0]], [[10, 0], [0, 10], [0, 0]])
    )
    scores = query @ key.T / math.sqrt(2)
    for _ in range(6):
        mask = torch.rand(3, 3, generator=draws) > 0.6
        mask[1] = False
        said = {
            fill: page.evaluate(
                "([mask, fill]) => Explore.kinds.mask.attend(mask, fill)", [mask.flatten().int().tolist(), fill]
            )
            for fill in ("zero", "inf", "big")
        }
        output, weights = attention(query, key, value, mask)
        near(said["zero"]["weights"], weights, 1e-12)
        near(said["zero"]["outputs"], output, 1e-11)
        for fill, number in (("inf", -math.inf), ("big", -1e9)):
            weights = scores.masked_fill(~mask, number).softmax(dim=1)
            near(said[fill]["weights"], weights, 1e-12)


def test_a_mask_is_painted_by_pointer_and_keys(page):
    found = figure(page, "mask")
    assert says(found).startswith("“cat” reads cat 1.00; “mat” reads cat 0.67, mat 0.33;")
    first, last = (found.get_by_role("button", name=f"it may see {key}").bounding_box() for key in ("cat", "it"))
    page.mouse.move(first["x"] + 5, first["y"] + 5)
    page.mouse.down()
    page.mouse.move(last["x"] + 5, last["y"] + 5, steps=12)
    page.mouse.up()
    assert "“it” may see nothing: its weights are 0" in says(found)
    found.get_by_role("button", name="−∞", exact=True).click()
    assert "0/0, which is nan" in says(found)
    found.get_by_role("button", name="−10⁹").click()
    assert "the mean of all that it may not see" in says(found)
    found.get_by_role("button", name="it may see cat").press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert "“mat” reads cat 1.00;" in says(found)
    page.wait_for_function("location.hash === '#explore-mask?mask=1,0,0,1,0,0,0,0,0&fill=big'")


def test_positions_are_those_of_torch(page):
    table = sinusoidal(64, 64)
    near(page.evaluate("[...Text.sinusoidal(64, 64)]"), table.flatten(), 1e-5)
    alike = page.evaluate("[3, 32, 60].map(a => [0, 32, 63].map(b => Explore.kinds.clocks.alike(a, b)))")
    near(alike, (table @ table.T)[[3, 32, 60]][:, [0, 32, 63]])
    sine, cosine = table[7, 8].item(), table[7, 9].item()  # the pair with number 4, five positions on
    turn = page.evaluate("Explore.kinds.clocks.angle(4, 5)")
    assert abs(sine * math.cos(turn) + cosine * math.sin(turn) - table[12, 8].item()) < 1e-5
    found = figure(page, "clocks")
    found.get_by_role("slider", name="position t").press("Home")
    assert says(found).startswith("From position 0 to 5 the fastest hand turns by 5 radians")


def test_numbers_are_written_as_torch_writes_them(page):
    numbers = [307040, 1, 19, 100, 999999, 90006, 518273, 700000, 12340, 60005]
    assert page.evaluate("numbers => numbers.map(n => Explore.kinds.number.inWords(n).join(' '))", numbers) == [
        in_words(number) for number in numbers
    ]
    name = "decoder.layers.1.cross_attn.weights"
    for place, packed in enumerate(results.load("number_models")["models"].values()):
        model = number_models.from_page(packed)
        said = page.evaluate(
            "async ([place, numbers]) => { const found = await Text.recorded('numbers');"
            "const { weights } = await found.at(place);"
            "return numbers.map(n => Explore.kinds.number.written(found, weights, n)); }",
            [place, numbers],
        )
        pairs = NumberPairs(numbers)
        for source, tokens in zip(pairs.source, said, strict=True):
            source = source[source > 0][None]
            ids, logits = greedy_decode(model, source, START, END, TARGET_LENGTH, return_logits=True)
            assert [token["id"] for token in tokens] == ids[0].tolist()
            near([token["shares"] for token in tokens], logits[0].softmax(dim=-1))
            read = torch.cat([torch.tensor([[START]]), ids[:, :-1]], dim=1)
            weights = intermediates(model, [name], source, read)[1][name]
            near([token["reads"] for token in tokens], weights[0].mean(dim=0))


def test_a_number_is_typed_and_walked_through(page):
    found = figure(page, "number")
    assert "it writes 307040, which is right" in says(found)
    assert "for it, it reads “thousand” most" in says(found)  # the claim of the lesson, for a zero without a word
    found.get_by_role("textbox").fill("12005")
    assert says(found).startswith("“twelve thousand and five”: it writes 12005")
    found.get_by_role("slider", name="token").press("End")
    assert "is “end”" in says(found)
    found.get_by_role("textbox").fill("1x")
    assert says(found).startswith("A number from 1")
    found.get_by_role("slider", name="epochs").press("Home")
    found.get_by_text("which is wrong").wait_for()


def wordpiece(words: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def test_words_are_cut_as_the_library_cuts_them(page):
    words = results.load("bert_models")["words"]
    tokenizer = wordpiece(words)
    texts = [*TEXTS, "interpreter unhashable transformer " + "z" * 101, *VOCABULARY]
    found = page.evaluate("([texts, words]) => texts.map(text => Text.pieces(text, words))", [texts, words])
    assert found == [tokenizer.encode(text, add_special_tokens=False).tokens for text in texts]


def test_gaps_are_filled_as_in_torch(page):
    recorded = results.load("bert_models")
    pieces = [wordpiece(recorded["words"]).encode(text).tokens for text in TEXTS[:2]]
    for place, packed in enumerate(recorded["models"].values()):
        model = bert_models.from_page(packed)
        for tokens, gap in zip(pieces, (2, 7), strict=True):
            said = page.evaluate(
                "async ([place, pieces, gap]) => { const found = await Text.recorded('bert');"
                "return Explore.kinds.gap.guess(found, (await found.at(place)).weights, pieces, gap); }",
                [place, tokens, gap],
            )
            ids = [SPECIAL.cls, *map(recorded["words"].index, tokens), SPECIAL.sep]
            ids[gap + 1] = SPECIAL.mask
            with torch.no_grad():
                expected = model(torch.tensor([ids])).mlm_logits[0, gap + 1].softmax(dim=0)
            near(said, expected)


def test_a_word_is_hidden_and_the_sentence_is_in_the_address(page):
    found = figure(page, "gap")
    assert "its first answer is “is”" in says(found)  # what the lesson says of its own training
    assert "That is what stood there" in says(found)
    found.get_by_role("button", name="gap, for is").press("ArrowLeft")
    assert found.get_by_role("button", name="gap, for exception").evaluate("one => one === document.activeElement")
    found.get_by_role("textbox").fill("A list, & 50% of it = #1")
    found.get_by_role("button", name="hide list").click()
    assert "“list”" in says(found)
    page.wait_for_function("location.hash.startsWith('#explore-gap?text=A%20list')")
    found.get_by_role("textbox").fill("")
    assert says(found).startswith("Write a sentence")
    page.evaluate("location.hash = '#explore-gap?text=A%20list%2C%20%26%2050%25%20of%20it%20%3D%20%231&gap=1&moment=0'")
    page.wait_for_function(
        "document.querySelector('.explore-gap .explore-says').textContent.startsWith('After 0 steps')"
    )
    assert found.get_by_role("textbox").input_value() == "A list, & 50% of it = #1"
    assert found.get_by_role("button", name="gap, for list").is_visible()
