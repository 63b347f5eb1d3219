"""Pictures of what went over the wire: a check's story as a ladder, in three kinds of files."""

from typing import Any

SVG, MERMAID, PCAPNG = FILES = ("story.svg", "story.mmd", "story.pcapng")


def files(check: dict[str, Any], lab: str) -> dict[str, bytes]:
    """Return what shows a check of the result form, by the names of the files; `lab` e.g. "lab4".

    A story that comes from elsewhere needs the fields `id`, `part`, `title`, `verdict`, `sentence`
    and `story`.
    """
    # Not at the top: a run in which nothing fails need not wait for any of this.
    from pictures import mermaid, pcapng, svg
    from pictures.ladder import ladder
    from pictures.words import words_of

    rungs = ladder(check, words_of(lab))
    return {
        SVG: svg.picture(rungs, title_of(check)).encode(),
        MERMAID: mermaid.text(rungs).encode(),
        PCAPNG: pcapng.capture(check),
    }


def drawn(check: dict[str, Any]) -> str:
    """Return the story of a check of the result form as SVG."""
    from pictures import svg
    from pictures.ladder import ladder

    return svg.picture(ladder(check), title_of(check))


def title_of(check: dict[str, Any]) -> str:
    """Return what stands above a picture: the part of the lab, and the check."""
    return ": ".join(text for text in (check.get("part"), check["title"]) if text)
