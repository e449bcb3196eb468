"""Sphinx extension: the bar that unfolds the code of a figure stands below the figure, not above it."""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform


class BarBelow(SphinxPostTransform):
    """Moves the code of a figure, which is folded, behind it; `book/programs/figures.py` names its bar."""

    default_priority = 250  # myst-nb folds it before

    def run(self, **_options) -> None:
        for cell in self.document.findall(nodes.container):
            if cell.get("prompt_show") == "Code of this figure" and len(cell.children) > 1:
                cell.append(cell.pop(0))


def setup(app):
    app.add_post_transform(BarBelow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
