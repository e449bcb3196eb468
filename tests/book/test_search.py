"""The search of the built book, from file:// as a reader opens it: what comes first, and where a hit leads."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
pytestmark = pytest.mark.browser

L01, L02, L03 = (
    "lessons/01_attention/attention",
    "lessons/02_multi_head/multi_head",
    "lessons/03_transformer/transformer",
)
L04, L05, L08 = "lessons/04_bert/bert", "lessons/05_patches/patches", "lessons/08_training/training"
L09, L10 = "lessons/09_asl_data/asl_data", "lessons/10_asl_finetuning/asl_finetuning"
# What a learner types, and the sections that answer it.
QUERIES = {
    "softmax": {f"{L01}#the-same-lookup-softened", f"{L01}#large-scores-overflow"},
    "causal mask": {f"{L01}#masks-what-a-query-may-not-see", f"{L03}#without-the-causal-mask"},
    "IoU": {f"{L09}#how-good-is-a-box"},
    "Vaswani": {"book/references#", f"{L01}#where-it-stands-in-the-papers"},
    "frozen": {f"{L10}#freezing-what-is-trained-and-what-it-costs"},
    "what does frozen mean?": {f"{L10}#freezing-what-is-trained-and-what-it-costs"},
    "how does beam search work": {f"{L03}#writing-greedy-or-with-a-beam"},
    "scaled dot product": {f"{L01}#the-same-lookup-softened", f"{L01}#where-queries-keys-and-values-come-from"},
    "scaled_dot_product_attention": {f"{L01}#masks-what-a-query-may-not-see", f"{L01}#attention-without-the-table"},
    "masked_fill": {f"{L01}#masks-what-a-query-may-not-see", f"{L01}#a-row-in-which-every-key-is-hidden"},
    "einops": {f"{L02}#split-and-merge"},
    "cross-attention": {f"{L02}#cross-attention"},
    "GIoU": {f"{L10}#what-can-take-the-place-of-c"},
    "gradient clipping": {f"{L08}#break-it-one-spoiled-batch"},
    "class token": {f"{L05}#class-token-and-positions"},
    "left-handed": {f"{L09}#for-whom-is-it-right"},
    "hold-out": {f"{L10}#the-pictures-three-parts-three-uses"},
    "positional encoding": {f"{L03}#where-a-token-stands"},
    "overfitting": {f"{L10}#train-the-heads-and-watch"},
    "temperature": {f"{L01}#what-a-factor-on-the-scores-does"},
    "WordPiece": {f"{L04}#a-word-into-pieces"},
    "leakage": {f"{L09}#break-it-one-photo-on-both-sides"},
    "vitcourse doctor": {"book/setup#cpu-or-gpu", "book/troubleshooting#cuda-none"},
    "learned by heart": {f"{L10}#train-the-heads-and-watch"},
    "beam search": {f"{L03}#writing-greedy-or-with-a-beam"},
    "warmup": {f"{L03}#a-rate-that-starts-small", f"{L08}#the-rate-over-time"},
    "CUDA out of memory": {"book/troubleshooting#cuda-out-of-memory"},
    "legătură reziduală": {f"{L03}#add-and-norm-or-norm-and-add"},
}
FIRST = """async queries => {
    const found = {};
    for (const query of queries) {
        const { section } = (await courseSearch.search(query)).found[0] ?? { section: { url: "", anchor: "" } };
        found[query] = `${section.url.replace(".html", "")}#${section.anchor}`;
    }
    return found;
}"""


@pytest.fixture(scope="module")
def html():
    return HTML


def test_the_right_section_comes_first(opened):
    found = opened("index").evaluate(FIRST, list(QUERIES))
    wrong = {
        query: first
        for query, first in found.items()
        if first not in QUERIES[query] and not any(first.startswith(f"{right}") for right in QUERIES[query])
    }
    assert len(QUERIES) - len(wrong) >= 26, wrong


def test_a_hit_is_reached_by_keyboard_and_its_words_are_marked(opened):
    page = opened("index")
    page.keyboard.press("Control+k")
    page.keyboard.type("how good is a box", delay=5)
    field = page.locator("#pst-search-dialog input")
    page.wait_for_function("document.querySelectorAll('#pst-search-dialog [role=option]').length > 1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    chosen = page.locator(f"id={field.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    assert "How good is a box?" in chosen.inner_text()
    assert "section" in page.locator("#pst-search-dialog [role=status]").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/asl_data.html?mark=*#how-good-is-a-box")
    page.wait_for_selector("#how-good-is-a-box mark")
    assert page.evaluate("scrollY") > 500


def test_the_page_of_the_search_answers_its_address(opened):
    page = opened("search")
    page.goto(f"{page.url}?q=zzzz")
    page.wait_for_function("document.querySelector('.bd-search-container [role=status]').textContent")
    assert "Nothing found" in page.locator(".bd-search-container [role=status]").inner_text()
    page.locator(".bd-search-container input").fill("hold out")
    page.wait_for_selector(".bd-search-container [role=option]")
    assert page.locator(".bd-search-container [role=option] mark").count() > 0
