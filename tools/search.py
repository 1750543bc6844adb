"""Python-Markdown extension: search finds words of the prose, not of code, outputs and figures.

Code is full of tokens that nobody looks for, and the search engine stumbles over a star among them.
The attribute is Material's; its search plugin removes it from the page once it is read.
"""

from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

SHOWN_ONLY = ('class="language-', 'role="img"')  # of the div around a block, and around a figure


class ExcludeCode(Postprocessor):
    def run(self, text: str) -> str:
        for attribute in SHOWN_ONLY:
            text = text.replace(f"<div {attribute}", f'<div data-search-exclude="true" {attribute}')
        return text


class SearchExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        # After the raw HTML of blocks is back in its place (30).
        md.postprocessors.register(ExcludeCode(md), "exclude-code", 25)


def makeExtension(**options: Any) -> SearchExtension:
    return SearchExtension(**options)
