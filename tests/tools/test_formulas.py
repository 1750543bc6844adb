"""Formulas of docstrings: each way to write one, and what cannot be written."""

import pytest

from tools.formulas import to_latex
from tools.maths import to_mathml


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        ("y = x W + b", "y = x W + b"),
        ("dx = dy Wᵀ", r"\mathrm{dx} = \mathrm{dy}\,W^{T}"),
        ("in_size", r"\mathrm{in\_size}"),
        ("σ = √(2/D)", r"σ = \sqrt{\frac{2}{D}}"),
        ("√((a + b) c) d", r"\sqrt{(a + b) c} d"),
        ("√v̂", r"\sqrt{\hat{v}}"),
        ("hᵢ₋₁", "h_{i-1}"),
        ("∂hᵢ/∂hᵢ₋₁", r"\frac{∂h_{i}}{∂h_{i-1}}"),
        ("β₁ᵗ + 10⁻⁵", "β_{1}^{t} + 10^{-5}"),
        ("log Σⱼ exp(x)", r"\log  \sum _{j} \exp (x)"),
        ("argmaxⱼ x", r"\operatorname*{argmax}_{j} x"),
        ("a = 1,  b = 2", r"a = 1, \quad b = 2"),
        ("p ← p − 2 · q", r"p \leftarrow  p - 2 \cdot  q"),
    ],
)
def test_unicode_becomes_latex_that_the_site_can_show(formula: str, latex: str) -> None:
    assert to_latex(formula) == latex
    assert to_mathml(latex, block=True).startswith("<math")


def test_lines_are_aligned_at_their_first_relation() -> None:
    latex = to_latex("a = b = c\n  d ← e\n")
    assert latex == "\\begin{aligned}\na &= b = c \\\\\nd &\\leftarrow  e\n\\end{aligned}"


def test_root_of_an_open_bracket_is_an_error_that_shows_it() -> None:
    with pytest.raises(ValueError, match=r"the bracket after √ is not closed: \(a \+ b"):
        to_latex("√(a + b")
