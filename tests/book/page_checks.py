"""What is wrong with a page, as a reader without a network would meet it in a browser.

`visit` opens a page once and returns its faults, one line each; empty lists mean a sound page.
"""

from typing import NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 640}

# Requests that stay on the machine, or in the page.
LOCAL = ("file:", "data:", "blob:", "about:")

SETTLE = """async () => {
    // Everything a reader would wait for: images below the fold, fonts, formulas.
    for (const image of document.images) { image.loading = "eager"; await image.decode().catch(() => {}); }
    await document.fonts.ready;
    if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
}"""

# A browser tells a page of another theme before it draws the next picture.
DARKEN = """async () => {
    const picture = () => new Promise(requestAnimationFrame);
    while (!matchMedia("(prefers-color-scheme: dark)").matches) await picture();
    for (let i = 0; i < 3; i++) await picture();
    return document.documentElement.dataset.theme;
}"""

# What a cell complained of shows paths of the machine on which it ran.
COMPLAINTS = """() => [...document.querySelectorAll("article .output.stderr")].map(
    output => `a cell complains: ${output.textContent.trim().slice(0, 80)}`)"""

IMAGES = """() => [...document.images].flatMap(image => {
    const name = image.getAttribute("src")?.slice(0, 80), alt = image.getAttribute("alt"), faults = [];
    if (!image.naturalWidth) faults.push(`image did not load: ${name}`);
    // An empty alt is right only for decoration: an image in a link or button that has words of its own.
    const decoration = alt === "" && image.closest("a, button")?.innerText.trim();
    if (!decoration && (!alt?.trim() || /\\.(png|svg|jpe?g)$/i.test(alt.trim())))
        faults.push(`image without a useful alt: ${name} (alt: ${alt})`);
    return faults;
})"""

# Text that is seen, but for code, and but for what MathJax has made.
RAW_TEX = r"""() => {
    const tex = /\\\(|\\\[|\$\$|\\begin\{|\\(frac|sqrt|operatorname|text|mathbb|boldsymbol|cdot)\b/;
    const apart = "pre, code, script, style, noscript, mjx-container, textarea, .headerlink";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faults = [];
    for (let node; (node = walker.nextNode());)
        if (tex.test(node.data) && !node.parentElement.closest(apart))
            faults.push(`raw TeX: ${node.data.trim().slice(0, 80)}`);
    for (const error of document.querySelectorAll("mjx-merror"))
        faults.push(`formula with an error: ${error.getAttribute("data-mjx-error") ?? error.textContent}`);
    return faults;
}"""

OVERFLOW = """() => {
    const width = document.documentElement.clientWidth, faults = [];
    const content = ["p", "table", "pre", "img", "svg"].map(name => `article ${name}`).join(", ");
    if (document.documentElement.scrollWidth > width)
        faults.push(`the page is ${document.documentElement.scrollWidth} px wide on a screen of ${width} px`);
    // Content that is cut off by a parent is no better than content that makes the page scroll.
    for (const element of document.querySelectorAll(content)) {
        const box = element.getBoundingClientRect();
        let scrolls = false;
        for (let up = element; up && up.tagName !== "ARTICLE"; up = up.parentElement)
            scrolls ||= ["auto", "scroll"].includes(getComputedStyle(up).overflowX);
        if (box.width && box.right > width + 1 && !scrolls)
            faults.push(`${element.tagName.toLowerCase()} ends at ${Math.round(box.right)} px of ${width} px`);
    }
    return faults;
}"""


# At a desk code is whole: a cell that scrolls hides the ends of its lines.
CUT_CODE = """() => [...document.querySelectorAll("article .cell pre")]
    .filter(code => code.checkVisibility() && code.scrollWidth > code.clientWidth + 1)
    .map(code => `code is cut at ${code.clientWidth} of ${code.scrollWidth} px: ${code.innerText.slice(0, 50)}`)"""

TITLES = """() => {
    const titles = document.querySelectorAll("h1").length;
    return titles === 1 ? [] : [`the page has ${titles} titles`];
}"""


def watch(page: Page) -> list[str]:
    """Collect, from now on, what the page asks for off the machine, fails to load, and complains of."""
    found: list[str] = []

    def on_route(route):
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            found.append(f"request off the machine: {route.request.url}")
            route.abort()

    def on_console(message):
        # Of a blocked request the route has told already.
        if message.type == "error" and "ERR_FAILED" not in message.text:
            found.append(f"console error: {message.text}")

    def on_failure(request):
        if request.url.startswith("file:"):
            found.append(f"missing local file: {request.url}")

    page.route("**/*", on_route)
    page.on("websocket", lambda socket: found.append(f"request off the machine: {socket.url}"))
    page.on("console", on_console)
    page.on("pageerror", lambda error: found.append(f"page error: {error}"))
    page.on("requestfailed", on_failure)
    return found


# Most elements of a lesson are words of code, and axe looks at the contrast of each: the first stands for its kind.
ONE_OF_EACH = """() => {
    const seen = new Set();
    for (const block of document.querySelectorAll(":is(.highlight, .boxes) pre")) {
        const place = [], copy = block.cloneNode(true);
        for (let up = block; up && up.tagName !== "ARTICLE"; up = up.parentElement) place.push(up.className, up.open);
        for (const word of copy.querySelectorAll("span:not([id])")) {
            const kind = [word.className, word.style.cssText, word.parentElement.className, ...place].join("|");
            if (seen.size === seen.add(kind).size) word.replaceWith(...word.childNodes);
        }
        block.replaceWith(copy);
    }
}"""


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds on an open page, as 'rule: element' lines; by all of its rules, or by some."""
    # "preload" has axe fetch style sheets again, which from file:// only fills the console with refusals.
    options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


class Faults(NamedTuple):
    """What `visit` found: faults of the page itself, and of its accessibility in the light and the dark theme."""

    problems: list[str]
    light: list[str]
    dark: list[str]


def visit(context: BrowserContext, url: str) -> Faults:
    """Open a page at desktop width in the light theme, turn it dark, then make it as narrow as a phone."""
    page = context.new_page()
    try:
        found = watch(page)
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(url)
        page.evaluate(SETTLE)
        found += page.evaluate(IMAGES)
        found += page.evaluate(COMPLAINTS)
        found += page.evaluate(RAW_TEX)
        found += page.evaluate(CUT_CODE)
        found += page.evaluate(TITLES)
        page.evaluate(ONE_OF_EACH)
        light = violations(page)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        if page.evaluate(DARKEN) == "light":  # a page that stays light has not been tried in the dark
            found.append("the page does not follow the system into the dark theme")
        dark = violations(page, "color-contrast", "link-in-text-block")  # nothing else differs between the themes
        for narrow in (PHONE, NARROWEST):
            page.set_viewport_size(narrow)
            found += page.evaluate(OVERFLOW)
        return Faults(found, light, dark)
    finally:
        page.close()
