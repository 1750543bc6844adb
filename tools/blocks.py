"""Python-Markdown extension: what a block's HTML says of it to the search and to the browser.

Search finds words of the prose, not of code, outputs, figures and lists of sources: code is full of
tokens that nobody looks for, and the search engine stumbles over a star among them. The attribute
is Material's; its search plugin removes it once the page is read.

The browser is told how many lines a block has, and the shape of a figure. So it knows the
height of one that is far below the screen, and need not lay it out before a reader comes near
(styles/code.css, styles/figures.css).
"""

import re
from html import unescape
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

BLOCK = re.compile(r'<div (class="language-[^"]*highlight")>(.*?</pre></div>)', re.DOTALL)
FIGURE = re.compile(
    r'<div (role="img"[^>]*>\s*)(<svg[^>]*? viewBox=)("[-\d.]+ [-\d.]+ )([\d.]+) ([\d.]+)'
)
TAG = re.compile("<[^>]*>")
SNIPPET = re.compile(r'<span class="filename">[^<]*?([\w-]+)\.py</span>')
LISTS = ("related-entries", "claims", "sources")  # sections that no search is for
EXCLUDED = 'data-search-exclude="true"'


class DescribeBlocks(Postprocessor):
    def run(self, text: str) -> str:
        text = FIGURE.sub(rf'<div {EXCLUDED} style="aspect-ratio:\4/\5" \1\2\3\4 \5', text)
        for name in LISTS:
            text = text.replace(f'<h2 id="{name}"', f'<h2 {EXCLUDED} id="{name}"')
        return BLOCK.sub(_described, text)


def _described(match: re.Match[str]) -> str:
    code = match[2].partition("<code>")[2].rstrip("\n")
    text = unescape(TAG.sub("", code.partition("\n</code>")[0]))
    lines, columns = text.count("\n") + 1, max(map(len, text.split("\n")))
    # The element in between is what scrolls; Material's script looks for <pre><code>.
    block = match[2].replace("<code>", '<span class="code"><code>', 1)
    block = block.replace("</code></pre>", "</code></span></pre>")
    style = f"--lines:{lines};--columns:{columns}"
    snippet = SNIPPET.search(match[2])
    name = f'id="block-{snippet[1]}" ' if snippet else ""  # where the claims link to
    return f'<div {EXCLUDED} {name}{match[1]} style="{style}">{block}'


class BlocksExtension(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        # After the raw HTML of blocks is back in its place (30).
        md.postprocessors.register(DescribeBlocks(md), "describe-blocks", 25)


def makeExtension(**options: Any) -> BlocksExtension:
    return BlocksExtension(**options)
