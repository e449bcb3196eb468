"""book/programs/notebook_keys.py is a plain module of no package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "programs"))
