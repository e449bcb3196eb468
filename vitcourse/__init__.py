"""The tested package behind the course on vision transformers.

Floors, lowest first; a module imports only from lower floors:

ground       ``errors``, ``files`` (written whole), ``threads``, ``timing``
models       ``attention``, ``positions``, ``patches``, ``blocks``, ``vit``, ``transformer``, ``bert``, ``explain``
beside them  ``weights`` (converters, the reader of checkpoints), ``figures``, ``training`` (the loop)
data         ``hands`` (rendered signs), ``data`` (texts, photos, exports), ``results`` (recorded runs)
signs        ``asl`` (the model, its losses, measures and runs), ``recipes`` (the programs behind ``book/results``)
practice     ``exercises`` (cards and messages), ``checks``, ``notebooks`` (derived), ``grading`` (handed out and in)
command      ``commands`` and ``cli`` (the command ``vitcourse``)
"""

from vitcourse.threads import wait_briefly

__version__ = "0.1.0"

wait_briefly()  # before any module below loads PyTorch
