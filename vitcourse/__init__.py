"""The tested package behind the course on vision transformers.

Floors, lowest first; a module imports only from lower floors:

``errors``, ``threads``, ``attention``, ``positions``, ``patches``, ``blocks``, ``stacks``, ``decoding``,
``transformer``, ``pretraining``, ``bert``, ``vit`` (tensors and models), ``layouts``, ``structure``, ``weights``
(converters), ``explain``, ``plots`` and ``interactive`` (figures), ``training`` (the loop), ``results`` (recorded
runs), ``data`` (real and rendered data), ``asl`` (the sign model, its losses and measures), ``bench``, ``recipes`` (the
programs behind ``book/results``), ``checks`` (what exercises run), ``notebooks`` and ``grading`` (derived notebooks,
assignments), ``doctor``, ``terminal``, ``commands`` and ``cli`` (the command ``vitcourse``).
"""

from vitcourse.threads import wait_briefly

__version__ = "0.1.0"

wait_briefly()  # before any module below loads PyTorch
