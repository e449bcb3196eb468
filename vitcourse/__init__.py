"""The tested package behind the course on vision transformers.

Floors, lowest first; a module imports only from lower floors:

``errors``, ``attention``, ``positions``, ``patches``, ``blocks``, ``vit`` (tensors and models), ``plots`` (the
book's figure style), ``training`` (the loop), ``results`` (recorded runs), ``data`` (real and rendered data), ``asl``
(the sign model, its losses and measures), ``recipes`` (the programs behind ``book/results``), ``doctor``,
``terminal`` and ``cli`` (the command ``vitcourse``).
"""

__version__ = "0.1.0"
