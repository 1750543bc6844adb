"""Python-Markdown extension: what a block's HTML says of it to the search and to the browser.

Search finds words of the prose, not of code, outputs and figures: code is full of tokens that nobody
looks for, and the search engine stumbles over a star among them. The attribute is Material's; its
search plugin removes it once the page is read.

The browser is told how many lines a block has, so that it knows the height of one that is far below
the screen, and need not lay it out before a reader comes near (styles/code.css).
"""

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

BLOCK = re.compile(r'<div (class="language-[^"]*highlight")>(.*?</pre></div>)', re.DOTALL)
EXCLUDED = 'data-search-exclude="true"'


class DescribeBlocks(Postprocessor):
    def run(self, text: str) -> str:
        text = text.replace('<div role="img"', f'<div {EXCLUDED} role="img"')
        return BLOCK.sub(_described, text)


def _described(match: re.Match[str]) -> str:
    code = match[2].partition("<code>")[2].rstrip("\n")
    lines = code.partition("\n</code>")[0].count("\n") + 1
    return f'<div {EXCLUDED} {match[1]} style="--lines:{lines}">{match[2]}'


class BlocksExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        # After the raw HTML of blocks is back in its place (30).
        md.postprocessors.register(DescribeBlocks(md), "describe-blocks", 25)


def makeExtension(**options: Any) -> BlocksExtension:
    return BlocksExtension(**options)
