"""Python-Markdown extension: a number and its percent sign stay on one line.

Quotation marks are Python-Markdown's own `smarty` extension's.
"""

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor


class Percent(InlineProcessor):
    # The ignore: the stubs compare with Pattern, which has an older signature.
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # type: ignore[override]
        return f"{m[1]}\u00a0%", m.start(), m.end()


class TypographyExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        # After code spans (190) and formulas (185), which keep their own spaces.
        md.inlinePatterns.register(Percent(r"(\d) %", md), "percent", 182)


def makeExtension(**options: Any) -> TypographyExtension:
    return TypographyExtension(**options)
