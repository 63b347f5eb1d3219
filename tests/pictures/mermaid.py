"""A ladder as mermaid text, which forges draw in a fenced block: a sequence diagram.

Its language is that of https://mermaid.js.org/syntax/sequenceDiagram.html.
"""

from pictures.ladder import Ladder, Step

LONGEST = 100  # characters of one text: mermaid wraps none

# "#" and ";" have a meaning there, "$$" is a formula, and the rest may be taken for HTML.
_ESCAPES = str.maketrans({char: f"#{ord(char)};" for char in "#;&$"} | {"<": "#lt;", ">": "#gt;"})
_ARROWS = {"": "->>", "tcp": "->>", "udp": "-->>"}


def text(ladder: Ladder) -> str:
    """Return the text of a ladder, without the fence around it."""
    names = {name: f"p{at}" for at, name in enumerate(ladder.columns)}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {short} as {_safe(name)}" for name, short in names.items()]
    lines += [f"    {line}" for step in ladder.steps for line in _lines(step, names)]
    return "\n".join(lines) + "\n"


def _lines(step: Step, names: dict[str, str]) -> list[str]:
    told = _safe(step.text)
    if step.kind == "arrow" and step.to != step.column:
        arrow = "-x" if step.flag == "RST" else _ARROWS[step.wire]
        ends = f" ({step.flag})" if step.flag else ""
        return [f"{names[step.column]}{arrow}{names[step.to]}: {told}{ends}"]
    all_names = list(names.values())
    everybody = f"Note over {','.join(dict.fromkeys([all_names[0], all_names[-1]]))}"
    if step.kind == "cut":
        return [f"{everybody}: {told}"]
    if step.kind == "fail":
        told = "<br/>".join([told, *map(_safe, step.details)])
        return ["rect rgba(255, 0, 0, 0.2)", f"    {everybody}: {told}", "end"]
    prompt = "#36; " if step.kind == "start" else ""
    return [f"Note over {names[step.column]}: {prompt}{told}"]


def _safe(text: str) -> str:
    """Return a text in which nothing has a meaning in mermaid; it is never empty."""
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return short.translate(_ESCAPES) or "#160;"
