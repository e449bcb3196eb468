"""The page of ``vitcourse serve`` in a real browser: a file, a drop, the camera, and what goes wrong."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.commands.serving import answering, picture, running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address():
    with running(answering()) as address:
        yield address


@pytest.fixture
def page(context, address):
    """The page, with what its console said and whom it asked."""
    page, page_log = context.new_page(), []
    page.on("console", lambda said: page_log.append(said.text) if said.type == "error" else None)
    page.on(
        "request", lambda asked: page_log.append(asked.url) if not asked.url.startswith((address, "blob:")) else None
    )
    page.goto(address)
    page.wait_for_selector("#about:has-text('2 labels')")
    yield page
    page.close()
    assert [line for line in page_log if not line.startswith("data:") and "422" not in line] == []


def given(name, content, mime="image/png"):
    return {"name": name, "mimeType": mime, "buffer": content}


def answered(page):
    """The labels and shares that the page shows, as text, once it shows the picture."""
    page.wait_for_selector("#figure:not([hidden]) #picture")
    return page.locator("#answers li").all_inner_texts()


def test_a_file_is_answered(page):
    assert "75%" in page.inner_text("#about")  # of the validation images
    page.set_input_files("#file", [given("white wall.png", picture(255))])
    assert [" ".join(line.split()) for line in answered(page)] == ["bright 100%", "dark 0%"]
    assert page.inner_text("#name") == "white wall.png"
    frame, box = page.locator("#frame").bounding_box(), page.locator("#box").bounding_box()
    assert box["width"] == pytest.approx(frame["width"] / 2, abs=1)
    assert box["height"] == pytest.approx(frame["height"], abs=1)


def test_what_it_is_not_sure_of_is_called_unknown_and_the_next_one_is_not(page):
    page.set_input_files("#file", [given("grey.png", picture(128))])
    page.wait_for_selector("#name:has-text('grey.png')")
    assert page.is_visible("#unknown")
    assert page.inner_text("#unknown").startswith("Unknown: the model is less sure")
    assert len(answered(page)) == 2  # the likeliest, all the same
    page.set_input_files("#file", [given("white.png", picture(255))])
    page.wait_for_selector("#name:has-text('white.png')")
    assert page.is_hidden("#unknown")


def test_a_dropped_picture_is_answered(page):
    page.evaluate(
        """bytes => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"}));
            document.getElementById("drop").dispatchEvent(
                new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
        }""",
        list(picture(0)),
    )
    assert answered(page)[0].startswith("dark")


def test_a_file_that_is_no_image_is_told_and_the_next_one_answered(page):
    page.set_input_files("#file", [given("notes.jpg", b"hello", "image/jpeg")])
    page.wait_for_selector("#note.wrong")
    assert "notes.jpg: the image cannot be decoded" in page.inner_text("#note")
    page.set_input_files("#file", [given("good.png", picture())])
    assert answered(page)[0].startswith("bright")
    assert page.inner_text("#note") == ""


def test_a_picture_that_is_too_large_is_not_sent(page):
    page.set_input_files("#file", [given("large.png", bytes(13 * 2**20))])
    page.wait_for_selector("#note.wrong")
    assert page.inner_text("#note") == "large.png is too large: 12 MB are the most."


def test_the_camera_is_answered_until_it_is_turned_off(page):
    page.click("#camera")
    page.wait_for_selector("#name:has-text('the camera')")
    assert answered(page)
    assert page.get_attribute("#camera", "aria-pressed") == "true"
    page.click("#camera")
    page.wait_for_selector("#live", state="hidden")
    assert page.get_attribute("#camera", "aria-pressed") == "false"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(page, theme):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.set_input_files("#file", [given("wide.png", picture(200, size=(1200, 300)))])
    answered(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Axe().run(page).response["violations"] == []
