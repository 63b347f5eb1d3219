"""Make the pictures of the handouts: `nox -s pictures`."""

import sys

from gallery import FOLDER, GalleryError, made


def main() -> int:
    """Write the pictures that are others than before, and return the exit code."""
    try:
        pictures = made()
    except GalleryError as error:
        print(f"[ERROR] {error}", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name, text in pictures.items():
        file = FOLDER / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8", newline="\n")
            print(f"made {file.relative_to(FOLDER.parents[2])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
