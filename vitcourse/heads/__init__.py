"""Rendered heads of people who do not exist: who somebody is and how a picture was taken are drawn apart.

This is the door: nothing outside imports the modules behind it.
"""

from vitcourse.heads.picture import MAX_SIZE, MIN_SIZE, render

__all__ = ["MAX_SIZE", "MIN_SIZE", "render"]
