"""Lets the kit's own tests import the references: last in the path, so that they hide nothing."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
