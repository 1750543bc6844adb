"""Figures follow the theme, keep to themselves on a page, and change only when they change."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from markdown import Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.figures import CYCLE, STYLE, differences, to_svg

Draw = Callable[[Axes], object]
X = np.linspace(0.1, 4, 50)
CSS = Path(__file__).parents[2] / "theme/styles/figures.css"


def draw(plot: Draw, name: str = "demo") -> str:
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        plot(figure.subplots())
    return to_svg(figure, name)


def lines(axes: Axes) -> None:
    axes.plot(X, np.exp(-X), label="training & test", marker="o", markevery=10)
    axes.plot(X, 1 / X, "--", color="C5", label=r"loss $\theta_1^2$")
    axes.fill_between(X, 0, np.exp(-X), alpha=0.25)
    axes.set(xlabel="epoch", ylabel="loss", yscale="log", title="Two lines")
    axes.annotate("here", (1, 1), (2, 2), arrowprops={"arrowstyle": "->"})
    axes.grid(which="both")
    axes.legend()


def scatter(axes: Axes) -> None:
    for number in range(6):
        axes.scatter(X, np.sin(X + number), alpha=0.8, label=f"class {number}")
    axes.legend(ncols=3)


def contour(axes: Axes) -> None:
    axes.contour(X, X, (X[:, None] - 2) ** 2 + (X - 2) ** 2, levels=[0.5, 1, 4], colors="C0")


def bars(axes: Axes) -> None:
    axes.bar(["SGD", "Adam"], [3, 4], hatch="//", edgecolor=matplotlib.rcParams["text.color"])
    axes.boxplot([[1, 2, 3, 9], [2, 3, 4]])
    axes.axhline(2, color="C2", alpha=0.5)


FIGURES = [lines, scatter, contour, bars]


@pytest.fixture(scope="module", params=FIGURES)
def svg(request: pytest.FixtureRequest) -> str:
    return draw(request.param)


@pytest.mark.parametrize("plot", FIGURES)
def test_same_bytes_on_two_runs(plot: Draw) -> None:
    assert draw(plot) == draw(plot)


def test_same_bytes_from_a_second_call() -> None:
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        left, right = figure.subplots(1, 2)
        left.loglog(10 ** (1.5 * X), X**-0.3)
        right.set_title("optimizers")
    assert to_svg(figure, "demo") == to_svg(figure, "demo")


def test_only_what_a_page_can_inline(svg: str) -> None:
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert "\n\n" not in svg
    for unwanted in ["<?xml", "<!", "<style", "<image", "<metadata", "xlink", "font-family"]:
        assert unwanted not in svg
    assert set(ElementTree.fromstring(svg).attrib) == {"viewBox", "stroke-linejoin"}
    assert not re.search(r"\.\d{3}", re.sub(r'style="[^"]*"', "", svg)), "over two decimals"
    assert len(svg) < 30_000
    assert len(gzip.compress(svg.encode())) < 5_000


def test_colors_are_the_theme_s(svg: str) -> None:
    values = re.findall(r"(?:fill|stroke):([^;\"]+)", svg)
    assert "currentColor" in values
    for value in set(values) - {"none", "currentColor"}:
        assert re.fullmatch(r"var\(--(fig-([1-6]|grid)|md-default-bg-color)\)|url\(#.+\)", value)
    assert "#" not in re.sub(r"url\(#[^)]*\)|href=\"#[^\"]*\"", "", svg)


def test_css_has_the_variables_for_both_themes() -> None:
    for scheme in ("default", "slate"):
        rules = CSS.read_text().split(f'[data-md-color-scheme="{scheme}"] {{')[1].split("}")[0]
        assert re.findall(r"--fig-(\w+):", rules) == [*map(str, range(1, len(CYCLE) + 1)), "grid"]


def test_ids_have_the_figure_s_name_and_references_resolve(svg: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', svg)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    assert len(ids) == len(set(ids))
    assert all(i.startswith("demo-") for i in ids)
    assert set(ids) == {one or other for one, other in used}


def test_two_figures_share_no_id() -> None:
    one, two = (set(re.findall(r'\bid="([^"]+)"', draw(lines, name))) for name in ("one", "two"))
    assert one
    assert len(one) == len(two)
    assert not one & two


def test_opacity_survives() -> None:
    assert "fill-opacity:0.25" in draw(lines)
    assert re.search(r"[;\"]opacity:0.5[;\"]|stroke-opacity:0.5", draw(bars))


def test_words_stay_whole_in_labels_with_math() -> None:
    svg = draw(lambda axes: axes.set_xlabel(r"the weight $w_1$ in use"))
    assert ">the\xa0weight\xa0</tspan>" in svg
    assert ">\xa0in\xa0use</tspan>" in svg


@pytest.mark.parametrize(
    ("plot", "color"),
    [
        (lambda axes: axes.plot(X, X, color="red"), r"#ff0000 \(red\)"),
        (lambda axes: axes.plot(X, X, color="tab:blue"), r"#1f77b4 \(tab:blue\)"),
        (lambda axes: axes.plot(X, X, color="black"), r"#000000 \(black\)"),
        (lambda axes: axes.fill_between(X, X, color="k", alpha=0.5, linewidth=0), "#000000"),
        (lambda axes: axes.scatter(X, X, color="k", linewidths=0), "#000000"),
        (lambda axes: axes.text(0, 0, "text", color="k"), "#000000"),
        (lambda axes: axes.set_title("$x^2$", color="k"), "#000000"),
        (lambda axes: axes.bar([1], [1], color="C0", hatch="/", edgecolor="gray"), "#808080"),
        (lambda axes: axes.scatter(X, X, c=X), "colormap"),
        (lambda axes: axes.contour([[0, 1], [2, 3]]), "colormap"),
        (lambda axes: axes.pcolormesh([[0, 1], [2, 3]], shading="gouraud"), "#"),
    ],
)
def test_a_color_from_elsewhere_is_refused(plot: Draw, color: str) -> None:
    with pytest.raises(ValueError, match=f"figure demo uses the color .*{color}.*C0"):
        draw(plot)


BITMAPS: list[Draw] = [lambda a: a.imshow([[0, 1]]), lambda a: a.plot(X, rasterized=True)]


@pytest.mark.parametrize("plot", BITMAPS)
def test_a_bitmap_is_refused(plot: Draw) -> None:
    with pytest.raises(ValueError, match=r"figure demo holds a bitmap.*instead of imshow"):
        draw(plot)


@pytest.mark.parametrize("plot", FIGURES)
def test_differences_leaves_out_noise(plot: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    before = draw(plot)
    # The ends stay: a tick at the very edge of the axes would come and go.
    noise = 1e-7 * np.sin(1e6 * X)
    noise[[0, -1]] = 0
    monkeypatch.setattr(f"{__name__}.X", X * (1 + noise))
    assert differences(before, before) == [] == differences(before, draw(plot))


def test_noise_leaves_no_point_out() -> None:
    y = np.exp(-X) + 0.05 * np.sin(9 * X)
    noisy = y + 1e-4 * np.sin(1e6 * X)
    assert differences(draw(lambda a: a.plot(X, y)), draw(lambda a: a.plot(X, noisy)), 0.5) == []


def test_differences_tolerance_works_both_ways() -> None:
    old = '<svg><path d="M0 0L10 20.5z" style="stroke-width:2"/></svg>'
    new = old.replace("20.5", "20.54")
    assert differences(old, new) == [] == differences(new, old)
    assert differences(old, new, tolerance=0.03) == ["element 1 (path): d moved by up to 0.04"]
    assert differences(old, old.replace("20.5", "20.57")) != []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0L10", "0L10 5L10", "d '.*' became"),
        ("stroke-width:2", "stroke-width:2.01", "style"),
        ("var(--fig-1)", "var(--fig-2)", "style"),
        (">a<", ">b<", "text 'a' became 'b'"),
        ("<text>", "<g></g><text>", "structure changed: 3 elements became 4"),
        (' href="#a"', "", "href '#a' became ''"),
    ],
)
def test_differences_is_exact_about_the_rest(old: str, new: str, message: str) -> None:
    svg = '<svg><path href="#a" d="M0 0L10 2" style="stroke-width:2;fill:var(--fig-1)"/>'
    svg += "<text>a</text></svg>"
    (found,) = differences(svg, svg.replace(old, new))
    assert re.search(message, found)


@pytest.mark.parametrize("extensions", [[], ["tools.maths", "md_in_html", "attr_list", "tables"]])
def test_markdown_leaves_the_figure_unchanged(svg: str, extensions: list[str]) -> None:
    figure = f'<figure><div role="img" aria-label="A plot">\n{svg}\n</div>'
    figure += "<figcaption>A caption.</figcaption></figure>"
    html = Markdown(extensions=extensions).convert(f"before\n\n{figure}\n\nafter")
    assert html == f"<p>before</p>\n{figure}\n\n<p>after</p>"
