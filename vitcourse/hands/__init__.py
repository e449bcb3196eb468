"""Rendered hands that form the letters of American Sign Language, with everything that is known of each picture.

This is the door: nothing outside imports the modules behind it. Rendered heads take from here what every picture has:
random numbers, light, skin, what stands behind, and the camera.
"""

from vitcourse.hands.camera import photograph
from vitcourse.hands.draws import Draws
from vitcourse.hands.hand import PARTS
from vitcourse.hands.scene import background
from vitcourse.hands.shading import box_blur, draw_light, draw_skin
from vitcourse.hands.signs import check_numbers, render, render_with_truth
from vitcourse.hands.windows import cut_windows, recolour

__all__ = [
    "PARTS",
    "Draws",
    "background",
    "box_blur",
    "check_numbers",
    "cut_windows",
    "draw_light",
    "draw_skin",
    "photograph",
    "recolour",
    "render",
    "render_with_truth",
]
