"""Imported first, it has a program that reads notebooks start in half the time.

To read a notebook is to import jsonschema, which has the package below compile 38 grammars for addresses, of which no
notebook has any: 1.4 s of processor time in each process. Without it jsonschema leaves such addresses unchecked.
"""

import sys

sys.modules["rfc3987_syntax"] = None
