"""Names a file that it may not read in its traceback, so that whoever reads on finds a line."""

import os
import sys
from pathlib import Path

tree = Path(__file__).parents[2]
cache = Path(__file__).with_name("__pycache__")
link = cache / "link.py"
if not link.exists():
    link.symlink_to("/etc/passwd")
places = [f"{tree}/{'../' * 20}etc/passwd", link]
sys.stderr.write("Traceback (most recent call last):\n")
for place in places:
    sys.stderr.write(f'  File "{place}", line 1, in main\n    pass\n')
sys.stderr.write("ValueError: who are you?\n")
sys.stderr.flush()
os._exit(1)
