"""Python-Markdown extension: LaTeX between dollars becomes MathML while the site is built.

`$x^2$` stands in a line; `$$x^2$$` is a block of its own, with an empty line before and after.
`\\$` is a dollar. A formula which cannot be converted stops the build.
"""

import re
from html import escape
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from math_core import LatexError, LatexToMathML

CONVERTER = LatexToMathML(fancy_error=False)

# What a dollar can be, in three branches:
# 1. Escaped: step over it, so that `\$` neither opens nor closes a formula.
# 2. The start of a formula. Prices are none: no space inside the dollars, no digit behind them,
#    and "$5 or **$x$**" has a second dollar that opens another formula. \x02 marks what Markdown
#    has already set aside, such as a code span.
# 3. A mistake: it looks like the start of a formula, but nothing closes it.
INLINE = (
    r"\\."
    r"|\$(?![\s$]|\d[^$]*\s[^$]*\$[\w\\])((?:\\.|[^\\$\x02])+)(?<!\s)\$(?!\d)"
    r"|\$[A-Za-z\\{(|$\x02]"
)
BLOCK = re.compile(r"\s*\$\$((?:\\.|[^\\$])+)\$\$\s*", re.DOTALL)


# Any element may have these attributes in MathML Core, not in the older MathML 3 that HTML checkers
# know; as styles, both allow them.
REPLACED = (
    ("mfrac", 'displaystyle="false"', "math-style:compact"),
    ("mtable", 'scriptlevel="0"', "math-depth:0"),
)


def to_mathml(latex: str, *, block: bool) -> str:
    latex = latex.strip()
    if not latex:
        raise ValueError("empty formula between dollars")
    try:
        mathml = CONVERTER.convert_with_local_state(latex, displaystyle=block)
    except LatexError as error:
        raise ValueError(f"formula not understood: {latex}\nmath-core says: {error}") from error
    alttext = escape(" ".join(latex.split()))
    mathml = mathml.replace("<math", f'<math alttext="{alttext}"', 1)
    # The shape (D,) ends with a comma, which no space follows.
    mathml = re.sub(r"<mo>,</mo>(?=<mo[^>]*>\)</mo>)", '<mo rspace="0">,</mo>', mathml)
    for tag, attribute, style in REPLACED:
        mathml = re.sub(rf"(<{tag}\b[^>]*) {attribute}", rf'\1 style="{style}"', mathml)
    return mathml


class InlineFormula(InlineProcessor):
    # The ignore: the stubs compare with Pattern, which has an older signature.
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str | None, int | None, int | None]:  # type: ignore[override]
        if m[0].startswith("\\"):
            return None, None, None
        if m[1] is None:
            raise ValueError(
                f"formula not closed: {data[m.start() : m.start() + 60]}\n"
                r"Close it, write \$ for a dollar, leave an empty line around a $$ block, "
                r"and in a table write \mid or \lvert for a bar."
            )
        # A browser may break the line after a formula, and a line must not begin with a period.
        mathml = to_mathml(m[1], block=False)
        end = m.end()
        while data[end : end + 1] in tuple(".,;:!?)"):
            end += 1
        if end > m.end():
            mathml = f'<span class="formula">{mathml}{data[m.end() : end]}</span>'
        # Stored away as HTML, because Markdown must not look inside it again.
        return self.md.htmlStash.store(mathml), m.start(), end


class BlockFormula(BlockProcessor):
    def test(self, parent: Element, block: str) -> bool:
        return block.lstrip().startswith("$$")

    def run(self, parent: Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        match = BLOCK.fullmatch(block)
        if match is None:
            raise ValueError(
                f"formula not closed: {block}\n"
                "A $$ block ends with $$, has no empty line inside, and no text beside it."
            )
        mathml = to_mathml(match[1], block=True)
        # A formula wider than a phone scrolls in this element and not the whole page.
        SubElement(parent, "div", {"class": "maths"}).text = self.parser.md.htmlStash.store(mathml)


class MathsExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        md.ESCAPED_CHARS.append("$")
        # Markdown drops the paragraph around a lone block element. <math> can be inline.
        md.block_level_elements.remove("math")
        # Between code spans (190) and backslash escapes (180).
        md.inlinePatterns.register(InlineFormula(INLINE, md), "maths", 185)
        # Between indented code (80) and the first of the processors that would take lines which
        # begin with #, > or - out of a formula (75).
        md.parser.blockprocessors.register(BlockFormula(md.parser), "maths", 79)


def makeExtension(**options: Any) -> MathsExtension:
    return MathsExtension(**options)
