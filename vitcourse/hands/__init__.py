"""Rendered hands that form the letters of American Sign Language, with everything that is known of each picture.

This is the door: nothing outside imports the modules behind it.
"""

from vitcourse.hands.hand import PARTS
from vitcourse.hands.signs import check_numbers, render, render_with_truth
from vitcourse.hands.windows import cut_windows, recolour

__all__ = ["PARTS", "check_numbers", "cut_windows", "recolour", "render", "render_with_truth"]
