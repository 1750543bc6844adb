"""Matplotlib figures as SVG that is inlined in a page and follows its theme.

    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots()
        axes.plot([1, 2, 3])
    svg = to_svg(figure, "loss-curve")

Text and axes get the color of the page's text, C0 to C5 are --fig-1 to --fig-6 of figures.css.
"""

import io
import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib
from cycler import cycler
from matplotlib.colors import CSS4_COLORS, TABLEAU_COLORS, to_hex
from matplotlib.figure import Figure

# Colors that no snippet uses by chance. They stand for the variables until the SVG is written.
INK, GRID, PAPER = "#010203", "#010204", "#010205"
CYCLE = ["#010211", "#010212", "#010213", "#010214", "#010215", "#010216"]
VARIABLES = {INK: "currentColor", GRID: "var(--fig-grid)", PAPER: "var(--md-default-bg-color)"}
VARIABLES |= {color: f"var(--fig-{number})" for number, color in enumerate(CYCLE, start=1)}

INK_KEYS = """text.color axes.labelcolor axes.edgecolor xtick.color ytick.color patch.edgecolor
hatch.color boxplot.boxprops.color boxplot.whiskerprops.color boxplot.capprops.color
boxplot.flierprops.color boxplot.flierprops.markeredgecolor"""

# The keys are Any because Matplotlib's own type for them changes with its version.
STYLE: dict[Any, object] = {
    # A page shows the figure 680 px wide, a phone 328 px. On 490 units of width, text of 13 units
    # is then 18 px and 9 px high: near the size of the text around it, and legible on a phone.
    "figure.figsize": (6.8, 3.8),
    "font.size": 13,
    # In the end the page's font is used. DejaVu Sans is wider than most and comes with
    # Matplotlib, so the room planned for it is enough, and the same everywhere.
    "font.family": "DejaVu Sans",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=CYCLE),
    "grid.color": GRID,
    "legend.facecolor": PAPER,  # lines behind a legend would cross its text
    "legend.edgecolor": "none",
    "path.simplify": False,  # noise in the data would decide which points are left out
    "svg.fonttype": "none",
    "svg.hashsalt": "dlref",
} | dict.fromkeys(INK_KEYS.split(), INK)

SVG = "{http://www.w3.org/2000/svg}"
G, TEXT, TSPAN, USE = f"{SVG}g", f"{SVG}text", f"{SVG}tspan", f"{SVG}use"
PAINTED = {f"{SVG}path", f"{SVG}rect", TEXT, USE}
COORDINATES = {"d", "x", "y", "width", "height", "transform"}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
ElementTree.register_namespace("", SVG.strip("{}"))


def to_svg(figure: Figure, name: str) -> str:
    """The figure as an `<svg>` element. `name` keeps its ids apart from other figures' ids."""
    with matplotlib.rc_context(STYLE):
        file = io.BytesIO()
        figure.savefig(file, format="svg")
        figure.set_layout_engine("none")  # a second call would lay out a little differently
    text = file.getvalue().decode().replace("xlink:href", "href")
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)  # a turn by nothing
    root = ElementTree.fromstring(text)
    if root.find(f".//{SVG}image") is not None:
        raise ValueError(
            f"figure {name} holds a bitmap, which cannot follow the theme: instead of imshow, "
            "colorbar or rasterized=True draw bars, text or contour lines in C0 to C5"
        )
    # The style would apply to the whole page, and the metadata holds the date.
    for child in root.findall(f"{SVG}metadata") + root.findall(f"{SVG}defs[{SVG}style]"):
        root.remove(child)
    _refuse_black(root, name)
    used = dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    ids = {old: f"{name}-{number}" for number, old in enumerate(used, start=1)}
    for element in list(root.iter()):
        _clean(element, name, ids)
    _merge_groups(root)
    for group in root.iter(G):
        _share_style(group)
    # The page sets the width. Round joins were in the style.
    root.attrib = {"viewBox": root.attrib["viewBox"], "stroke-linejoin": "round"}
    return ElementTree.tostring(root, encoding="unicode").strip()


def _wrong_color(color: str, name: str) -> ValueError:
    names = {to_hex(value): key for key, value in (CSS4_COLORS | TABLEAU_COLORS).items()}
    return ValueError(
        f"figure {name} uses the color {color} ({names.get(color, 'of a colormap?')}), which "
        'cannot follow the theme: use "C0" to "C5", or leave the color out'
    )


def _refuse_black(element: Element, name: str) -> None:
    # Matplotlib writes no fill for black, as SVG fills with black by itself.
    style = element.get("style", "") + ";"
    if element.tag == f"{SVG}defs" or re.search("fill: |fill-opacity: 0;", style):
        return
    if element.tag in PAINTED:
        raise _wrong_color("#000000", name)
    for child in element:
        _refuse_black(child, name)


def _clean(element: Element, name: str, ids: dict[str, str]) -> None:
    attributes = element.attrib
    style = dict(item.split(": ", 1) for item in attributes.pop("style", "").split("; ") if item)
    style.pop("font-family", None)  # the page's font is inherited
    for key in ("fill", "stroke", "stop-color"):
        # Hatches have attributes instead of a style, where not every browser takes a variable.
        color = style.get(key) or attributes.pop(key, "")
        if color.startswith("#"):
            if color not in VARIABLES:
                raise _wrong_color(color, name)
            style[key] = VARIABLES[color]
    if style:
        attributes["style"] = ";".join(f"{key}:{value}" for key, value in style.items())
    if (old_id := attributes.pop("id", "")) in ids:
        attributes["id"] = ids[old_id]
    for key, value in attributes.items():
        value = re.sub(r"#([\w-]+)", lambda match: "#" + ids.get(match[1], match[1]), value)
        attributes[key] = _shorten(value) if key in COORDINATES else value
    if element.tag == TEXT:
        _join_letters(element)
    element.text = (element.text or "").strip(" \n")
    element.tail = None if element.tag == TSPAN else "\n"


def _shorten(value: str) -> str:
    value = re.sub(r"-?\d+\.\d+", lambda match: f"{float(match[0]):.2f}", value)
    value = re.sub(r"\s*([MLQCz])\s*", r"\1", value).strip()
    # Noise decides whether Matplotlib closes a line that ends where it began: close them all.
    return re.sub(r"M([-.\d ]+)([^Mz]*L)\1(?=M|$)", r"M\1\2\1z", value)


def _join_letters(text: Element) -> None:
    # Mathtext places every letter as another font would, and words would fall apart.
    spans = sorted(text, key=lambda span: float(span.get("x", "0")))
    text[:] = spans[:1]
    for span in spans[1:]:
        last = text[-1]
        word = f"{last.text}{span.text}"
        same_look = all(last.get(key) == span.get(key) for key in ("y", "style"))
        if same_look and word.replace("\xa0", "").isalnum():
            last.text = word
        else:
            text.append(span)


def _merge_groups(element: Element) -> None:
    # Matplotlib wraps every artist in a group, and every point of a scatter in one that clips it.
    children: list[Element] = []
    for child in element:
        _merge_groups(child)
        last = children[-1].attrib if children else {}
        if child.tag == G and not child.attrib:
            children.extend(child)
        elif child.attrib == last and set(last) == {"clip-path"}:
            children[-1].extend(child)
        else:
            children.append(child)
    element[:] = children


def _share_style(group: Element) -> None:
    # Points that look alike inherit their style from the group. Opacity is not inherited.
    styles = {point.get("style", "opacity") if point.tag == USE else "opacity" for point in group}
    if len(styles) == 1 and not re.search(r"(?<!-)opacity", max(styles)):
        group.set("style", styles.pop())
        for point in group:
            del point.attrib["style"]


def differences(old: str, new: str, tolerance: float = 0.05) -> list[str]:
    """What changed from one SVG of `to_svg` to another, moves within the tolerance left out."""
    before, after = (list(ElementTree.fromstring(svg).iter()) for svg in (old, new))
    if [(e.tag, len(e)) for e in before] != [(e.tag, len(e)) for e in after]:
        return [f"structure changed: {len(before)} elements became {len(after)}"]
    found = []
    for place, (a, b) in enumerate(zip(before, after, strict=True)):
        where = f"element {place} ({a.tag.removeprefix(SVG)})"
        if a.text != b.text:
            found.append(f"{where}: text {a.text!r} became {b.text!r}")
        for key in sorted({*a.keys(), *b.keys()}):
            x, y = a.get(key, ""), b.get(key, "")
            if key in COORDINATES and NUMBER.sub("#", x) == NUMBER.sub("#", y):
                pairs = zip(NUMBER.findall(x), NUMBER.findall(y), strict=True)
                moved = max((abs(float(p) - float(q)) for p, q in pairs), default=0.0)
                if moved > tolerance:
                    found.append(f"{where}: {key} moved by up to {moved:.2f}")
            elif x != y:
                found.append(f"{where}: {key} {x[:60]!r} became {y[:60]!r}")
    return found
