"""HTML that is escaped by the way it is made: only what `tag` returned is taken as HTML."""

from html import escape
from pathlib import Path

from reports.words import clean

_VOID = {"meta"}
_OWN_LINE = {"div", "h1", "h2", "h3", "h4", "li", "nav", "p", "section", "table", "tr"}


class Html(str):
    """Text that is HTML already."""


def tag(name: str, /, *inside: str, **attributes: str) -> Html:
    """Return an element: text inside and in attributes is escaped, `Html` inside is not.

    Attributes are named as Python lets them: `class_="quiet"`, `aria_label="points"`.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(clean(value))}"'
        for key, value in attributes.items()
    )
    if name in _VOID:
        return Html(f"<{name}{told}>\n")
    end = "\n" if name in _OWN_LINE else ""
    return Html(f"<{name}{told}>{joined(*inside)}</{name}>{end}")


def joined(*pieces: str) -> Html:
    """Return pieces one after another, what is not `Html` escaped."""
    return Html(
        "".join(piece if isinstance(piece, Html) else escape(clean(piece)) for piece in pieces)
    )


def page(title: str, *inside: str, style: str = "") -> str:
    """Return a whole page in English, with style.css; `style` is more CSS of ours."""
    common = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(common + style)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', *inside), lang='en')}\n"
