"""LaTeX between dollars becomes MathML, and nothing else between dollars does."""

from pathlib import Path

import pytest
from markdown import Markdown
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tools.maths import to_mathml

EXTENSIONS = ["pymdownx.superfences", "admonition", "pymdownx.details", "tables", "attr_list"]
EXTENSIONS += ["md_in_html", "toc"]

FORMULAS = [
    r"\sum_{i=1}^{n} x_i * y_i * z_i",
    r"\frac{\partial L}{\partial w} = \nabla_w L",
    r"f(x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\begin{aligned} a &= b \\ &< c \end{aligned}",
    r"\mathbf{w}^\top \mathbf{x} + b \in \mathbb R",
    r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
    r"\lVert x \rVert_2 = \sqrt{\sum_i x_i^2}",
    r"\hat y = \left( \frac{a}{b} \right)",
    r"\underbrace{a + b}_{\text{sum}} \le \overbrace{c}^{d}",
    r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}",
    r"\mathcal{N}(\mu, \sigma^2), \quad \boldsymbol{\theta}, \quad f'(x)",
    r"p(x \mid y) \propto p(y \mid x)\, p(x), \quad x_{t+1} \gets x_t\_",
    r"\mathbb{E}_{x \sim p}[\log p(x)] \to \arg\max_\theta",
    r"x < y > z \& w",
]


def convert(source: str, *, alone: bool = False) -> str:
    extensions = ["tools.maths"] if alone else ["tools.maths", *EXTENSIONS]
    return Markdown(extensions=extensions).convert(source)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("latex", FORMULAS)
def test_formula_is_converted_and_untouched_by_markdown(latex: str, alone: bool) -> None:
    inline, block = to_mathml(latex, block=False), to_mathml(latex, block=True)
    unbroken = f'<span class="formula">{inline}.</span>'
    assert convert(f"so ${latex}$.", alone=alone) == f"<p>so {unbroken}</p>"
    assert convert(f"$$\n{latex}\n$$", alone=alone) == f'<div class="maths">{block}</div>'
    assert 'display="block"' in block
    assert 'display="block"' not in inline


def test_ampersands_of_aligned_make_columns() -> None:
    mathml = to_mathml(r"\begin{aligned} a &= b \\ &< c \end{aligned}", block=True)
    assert mathml.count("<mtr>") == 2
    assert mathml.count("<mtd") == 4
    assert "&amp;" not in mathml.split(">", 1)[1]


def test_alttext_is_the_latex_on_one_line() -> None:
    html = convert('$$\na < b\n"c"\n$$')
    assert '<math alttext="a &lt; b &quot;c&quot;" display="block">' in html


def test_inline_formula_keeps_its_paragraph_and_its_neighbors() -> None:
    assert convert("$x$") == '<p><math alttext="x"><mi>x</mi></math></p>'
    assert convert("$k$*-means*").endswith("</math><em>-means</em></p>")
    assert convert("the $k$th").endswith("</math>th</p>")
    assert convert("$a<b$ and $c>d$").count("<math") == 2


@pytest.mark.parametrize(
    "source",
    [
        "`$x$`",
        "``$x$ ` $y$``",
        "```\n$x$\n\n$$\ny\n$$\n```",
        "    $$x$$",
        "- a\n\n    ```\n    $x$\n    ```",
    ],
)
def test_code_has_no_formula(source: str) -> None:
    html = convert(source)
    assert "<math" not in html
    assert "$x$" in html


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("$5 and $6", "$5 and $6"),
        (r"\$x\$ and \$5", "$x$ and $5"),
        ("a $ b $ c", "a $ b $ c"),
        ("$20,000-$30,000", "$20,000-$30,000"),
        ("costs 5$ or 6$", "costs 5$ or 6$"),
    ],
)
def test_dollars_that_are_no_formula(source: str, text: str) -> None:
    assert convert(source) == f"<p>{text}</p>"


def test_price_next_to_formula() -> None:
    html = convert("costs $6, where **$x$** and ($y$) is $7")
    assert html.count("<math") == 2
    assert "costs $6, where" in html
    assert "is $7" in html


@pytest.mark.parametrize(
    "source",
    [
        "- a\n\n    $$\n    x\n    $$\n\n- b",
        "1. $$x$$",
        "!!! note\n    $$x$$\n\n    b",
        '??? note "Title"\n    $$\n    x\n    $$',
        "> $$\n> x\n> $$",
        "<div markdown>\n\n$$x$$\n\n</div>",
        "before\n\n$$\nx\n$$\n\nafter",
    ],
)
def test_block_inside_other_blocks(source: str) -> None:
    formula = '<div class="maths"><math alttext="x" display="block"><mi>x</mi></math></div>'
    assert formula in convert(source)


def test_lines_of_a_block_that_look_like_markdown() -> None:
    html = convert("$$\na\n> b\n- c\n+ d\n$$\n\n$$\na\n= b\n$$")
    assert html.count('<div class="maths">') == 2
    assert html.count("<") == html.count(">")
    assert not any(tag in html for tag in ("<blockquote", "<li", "<h1", "<h2"))


def test_heading_and_table() -> None:
    assert '<h1 id="the-l2-norm">The <math' in convert("# The $L_2$ norm")
    assert convert("| a |\n|---|\n| $\\lVert x \\rVert$ |").count("<td><math") == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (r"so $\foo x$", r"(?s)\\foo x.*Unknown command"),
        ("$$\n\\frac{1\n$$", r"(?s)\\frac\{1.*Expected"),
        ("$a & b$", "(?s)a & b.*table"),
        ("$$ $$", "empty formula"),
        ("$x + y", r"not closed: \$x \+ y"),
        ("| a |\n|---|\n| $p(x|y)$ |", r"not closed: \$p\(x\n"),
        ("$$\na\n\nb\n$$", "no empty line inside"),
        ("text $$x$$", r"empty line around a \$\$ block"),
        ("text\n$$\nx\n$$", r"empty line around a \$\$ block"),
        ("$$x$$ text", "no text beside it"),
        ("$`x`$", "not closed"),
    ],
)
def test_mistake_stops_the_build_and_names_the_formula(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convert(source)


def site(folder: Path, page: str) -> Path:
    (folder / "docs").mkdir()
    (folder / "docs/index.md").write_text(page)
    extensions = "".join(f"  - {name}\n" for name in ["tools.maths", *EXTENSIONS])
    (folder / "mkdocs.yml").write_text(f"site_name: t\nmarkdown_extensions:\n{extensions}")
    build(load_config(str(folder / "mkdocs.yml"), strict=True))
    return folder / "site/index.html"


def test_mkdocs_builds_strictly(tmp_path: Path) -> None:
    page = "# Norm $L_2$\n\n" + "\n\n".join(f"$$\n{latex}\n$$" for latex in FORMULAS)
    assert site(tmp_path, page).read_text().count("<math") >= len(FORMULAS) + 1


def test_mkdocs_stops_at_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="foo"):
        site(tmp_path, r"$\foo$")
