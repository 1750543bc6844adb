"""The formulas of docstrings: plain Unicode, which `help()` shows as it is, becomes LaTeX.

    loss = 1/N Σₙ (targets[n] − y[n])²

A word of two letters or more is set upright, a fraction without spaces is built up, and two
spaces keep two formulas of one line apart. Brackets that hold a condition, as in [y > 0], are
Iverson's: 1 where it holds, else 0.
"""

import re

RELATIONS = re.compile(" (=|←|∼) ")
FUNCTIONS = {"cos", "exp", "log", "max", "min", "sin", "tanh"}
SIGNS = {
    "  ": r" \quad ",
    "Σ": r"\sum ",
    "·": r"\cdot ",
    "−": "-",
    "∼": r"\sim ",
    "←": r"\leftarrow ",
}
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ᵢⱼₖₘₙₜ", "0123456789+-ijkmnt")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵗ", "0123456789+-Tt")
HAT = "\u0302"  # over the letter before it

TOKEN = re.compile(
    r"(?P<fraction>[∂\w₋]+/[∂\w₋]+)"
    rf"|(?P<hat>\w){HAT}"
    r"|(?P<word>[A-Za-z_]{2,})(?P<space> (?=[\w(]))?"
    rf"|(?P<sub>[{''.join(map(chr, SUBSCRIPTS))}]+)"
    rf"|(?P<sup>[{''.join(map(chr, SUPERSCRIPTS))}]+)"
    rf"|(?P<sign>{'|'.join(SIGNS)})"
    r"|(?P<root>√)"
)


def to_latex(formula: str) -> str:
    """LaTeX of a docstring's formula, its lines aligned at their first =, ← or ∼."""
    lines = [line.strip() for line in formula.strip().split("\n")]
    if len(lines) == 1:
        return _line(lines[0])
    rows = " \\\\\n".join(_line(RELATIONS.sub(r" &\1 ", line, count=1)) for line in lines)
    return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"


def _line(text: str) -> str:
    """LaTeX of one line, from the first token that needs another form onwards."""
    match = TOKEN.search(text)
    if match is None:
        return text
    start, rest = text[: match.start()], text[match.end() :]
    if match["root"]:
        inside, rest = _bracketed(rest)
        return f"{start}\\sqrt{{{_line(inside)}}}{_line(rest)}"
    return start + _token(match) + _line(rest)


def _token(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match[0]
    if kind == "fraction":
        above, below = map(_line, text.split("/"))
        return rf"\frac{{{above}}}{{{below}}}"
    if kind == "hat":
        return rf"\hat{{{match['hat']}}}"
    if kind == "sub":
        return f"_{{{text.translate(SUBSCRIPTS)}}}"
    if kind == "sup":
        return f"^{{{text.translate(SUPERSCRIPTS)}}}"
    if kind == "sign":
        return SIGNS[text]
    return _word(match["word"], match["space"] or "")


def _word(word: str, space: str) -> str:
    """A name, upright; what stands apart from the next factor stays apart."""
    if word in FUNCTIONS:
        return f"\\{word}{space} "
    if word == "where":
        return r"\;\mathrm{where}\;"
    if word == "argmax":
        return rf"\operatorname*{{{word}}}"
    escaped = word.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}" + (r"\," if space else "")


def _bracketed(text: str) -> tuple[str, str]:
    """What a root is taken of, a bracket or one sign, and what comes after it."""
    if text[1:2] == HAT:
        return text[:2], text[2:]
    depth = 0
    for end, sign in enumerate(text, start=1):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return (text[1 : end - 1] if end > 1 else text[:end]), text[end:]
    raise ValueError(f"formula: the bracket after √ is not closed: {text}")
