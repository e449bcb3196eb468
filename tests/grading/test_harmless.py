"""What a student wrote or is called is text to every program that shows it."""

import pytest
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from vitcourse.grading.harmless import as_id, as_text, as_written

ACTS = (
    "[a](javascript:x)",
    "[a](<javascript:x>)",
    "![a](http://b.test/c.png)",
    "![a][b]\n\n[b]: http://b.test/c.png",
    "[b]\n\n[b]: javascript:x",
    "> - [b]:\n> javascript:x\n\n[b]",
    "[a\n](javascript:x)",
    "[![a](http://b.test/c)](javascript:x)",
    "<javascript:x>",
    "<img src=x onerror=x>",
    "<a\nhref='javascript:x'>b</a>",
    "a <b onclick=x>c",
    "<!-- <script> -->",
    "</p><script>x</script>",
    "`` ` ``<img src=x>",
)


@pytest.mark.parametrize("markdown", ACTS)
def test_no_link_no_image_no_tag_is_left(markdown):
    def page(text):
        return MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(text)

    def acts(text):
        return any(sign in page(text) for sign in ("<a", "<img", "<b ", "<script", "<!--", "onerror=x>"))

    assert acts(markdown), "a test that cannot fail"
    assert not acts(as_text(markdown))


@pytest.mark.parametrize("text", [*ACTS, "plain *text*, a[0], 1 < 2, a<b, $x_1$, see: http://a.test and www.a.test"])
def test_nothing_seen_is_changed(text):
    assert as_written(as_text(text)) == text


@pytest.mark.parametrize("text", ["a *b* and `c[0]`", "- 1 < 2\n- x: y", "$\\sqrt{d_k}$", "x = [1]\ny (2)"])
def test_what_does_nothing_stays_as_it_is(text):
    assert as_text(text) == text


@pytest.mark.parametrize("name", ["anna", "O'Brien", "Vera Weiß", "a [1] {x}", "R&B", "李", "..."])
def test_an_honest_name_stays_as_it_is(name):
    assert as_id(name) == name


def test_other_names_have_no_sign_that_acts_and_stay_apart():
    names = ['"', "<", "＜", "<b>", "＜b＞", "a/b", "a\\b", "a%3C", "#", "?", as_id("<")]
    ids = [as_id(name) for name in names]
    assert len(set(ids)) == len(names)
    assert not set("".join(ids)) & set('"<>/\\%#?')
