"""Still figures of explorables that replace no figure of a cell, and the data that these take: from recorded runs.

They are what print without scripts shows: the telling numbers, or a picture, and no more.
"""

import json
from collections.abc import Callable, Sequence
from html import escape

from course_nodes import html, words
from docutils import nodes

HANDS_SEED, HANDS, PIXELS = 103, 10, 288  # of lesson 09's ten hands; the model has seen none of this seed


def given(name: str, data) -> str:
    """The script that hands data to a page."""
    return f"Explore.give({json.dumps(name)}, {json.dumps(data, separators=(',', ':'))});\n"


def recorded(name: str) -> dict:
    from vitcourse import results  # here and below: most pages have no figure of these, and torch takes seconds

    return results.load(name)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> nodes.Node:
    head = html("tr", *(html("th", words(name), scope="col") for name in headings))
    body = [html("tr", *(html("td", words(cell)) for cell in row)) for row in rows]
    return html("table", html("thead", head), html("tbody", *body), classes="explore-table")


def still_picture(picture: dict, says: str, boxes: dict[str, list[float]], beside: str) -> nodes.Node:
    """A recorded picture with boxes by their class, and HTML beside it."""
    drawn = "".join(
        f'<rect class="{kind}" x="{left}" y="{top}" width="{right - left:.4f}" height="{bottom - top:.4f}"/>'
        for kind, (left, top, right, bottom) in boxes.items()
    )
    image = f'<img src="data:image/jpeg;base64,{picture["jpeg"]}" width="288" height="288" alt="{says}">'
    picture = f'<div class="hand-picture">{image}<svg viewBox="0 0 1 1" aria-hidden="true">{drawn}</svg></div>'
    text = f'<div class="explore-live"><div class="hand-stage">{picture}</div><div>{beside}</div></div>'
    return nodes.raw("", text, format="html")


def still_droppath() -> nodes.Node:
    """The drop rate of twelve blocks, as bars."""
    bars = "".join(
        f'<rect class="droppath-rate" x="{26 * block}" y="{60 - 4 * block}" width="22" height="{1 + 4 * block}"/>'
        for block in range(12)
    )
    names = '<text x="0" y="76">block 1: 0</text><text x="310" y="76" text-anchor="end">block 12: 0.2</text>'
    says = "The drop rate grows in a straight line, from 0 in block 1 to 0.2 in block 12"
    drawn = f'<svg class="droppath-grid" viewBox="0 0 312 80" role="img" aria-label="{says}">{bars}{names}</svg>'
    return nodes.raw("", drawn, format="html")


def still_frozen() -> nodes.Node:
    """What a step takes, for each number of frozen blocks."""
    rows = [
        [
            "nothing" if row["frozen"] < 0 else str(row["frozen"]),
            f"{row['trained_parameters']:,}",
            f"{row['kept_bytes'] / 2**20:.0f} MiB",
            f"{1000 * row['step_seconds']:.0f} ms",
        ]
        for row in recorded("frozen_blocks")["rows"]
    ]
    return table(["frozen blocks", "weights trained", "activations kept", "a step"], rows)


def photos(pictures: Sequence[dict], says: Callable[[dict], str]) -> nodes.Node:
    """Small pictures in rows, each with its words below."""
    shown = "".join(
        f'<span><img src="data:image/jpeg;base64,{one["jpeg"]}" width="96" height="96" '
        f'alt="A rendered hand that forms the letter {one["letter"]}">{escape(says(one))}</span>'
        for one in pictures
    )
    return nodes.raw("", f'<div class="explore-photos">{shown}</div>', format="html")


def still_letters() -> nodes.Node:
    return photos(ten_hands(), lambda one: f"{one['letter']}; the model: {one['said']}")


def ten_hands() -> list[dict]:
    """Ten hands of ten letters, and what the sign model says of each and how sure it is."""
    import torch

    from vitcourse.data.letters import LETTERS
    from vitcourse.hands import render
    from vitcourse.recipes.asl_finetuning.sign_backbone import hand_model
    from vitcourse.recipes.asl_finetuning.sign_pictures import asked

    letters = torch.randperm(26, generator=torch.Generator().manual_seed(HANDS_SEED))[:HANDS]
    images, model, hands = render(letters, HANDS_SEED, PIXELS)[0], hand_model(), []
    for letter, image in zip(letters, images, strict=True):
        found = asked(model, image)
        said, sure = found["top"][0]
        hands.append({"letter": LETTERS[letter], "jpeg": found["jpeg"], "said": said, "sure": sure})
    return hands


STILL: dict[str, Callable[[], nodes.Node]] = {
    "droppath": still_droppath,
    "frozen": still_frozen,
    "letters": still_letters,
}
DATA: dict[str, Callable[[], str]] = {
    "two-pulls": lambda: given("two-pulls", recorded("asl_pulls")["rows"]),
    "frozen-steps": lambda: given("frozen-steps", recorded("frozen_blocks")["rows"]),
    "side-maps": lambda: given("side-maps", {key: recorded("asl_sides")[key] for key in ("side", "pictures")}),
    "ten-hands": lambda: given("ten-hands", ten_hands()),
}
