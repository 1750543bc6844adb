"""The page of all words: every term in one line, every other name of it with the way there."""

import re
from itertools import groupby

from tools.glossary import Term, linked

HEAD = """\
---
title: A–Z
description: >-
  The words that these pages explain, in alphabetical order, each with a definition of one line and
  the entry that treats it.
---

The words that these pages explain, each in one line, with the entry that treats it. Other names and
acronyms are listed too.
"""


def a_to_z(terms: dict[str, Term]) -> str:
    """The Markdown of docs/terms.md.

    Each term and each alias is a heading, so that search finds it by name and shows its line.
    """
    rows = [(term.title, term.slug, _definition(term, terms)) for term in terms.values()]
    rows += [
        (
            _capitalized(alias),
            f"alias-{_slug(alias)}",
            f"See [{term.title}](#{term.slug}): {term.definition}",
        )
        for term in terms.values()
        for alias in term.aliases
    ]
    rows.sort(key=lambda row: (row[0].lower(), row[1]))
    letters = [
        (letter, list(group)) for letter, group in groupby(rows, lambda row: row[0][0].upper())
    ]
    index = " ".join(f"[{letter}](#{letter.lower()})" for letter, _ in letters)
    lines = [HEAD, index, "{: .letters }", ""]
    for letter, group in letters:
        lines += [f"## {letter} {{: #{letter.lower()} }}", "", '<div class="terms" markdown>', ""]
        for title, anchor, text in group:
            lines += [f"### {title} {{: #{anchor} }}", "", text, ""]
        lines += ["</div>", ""]
    return "\n".join(lines).rstrip() + "\n"


def _definition(term: Term, terms: dict[str, Term]) -> str:
    also = f" Also: {', '.join(term.aliases)}." if term.aliases else ""
    where = terms[term.treated_in]
    return (
        f"{linked(term.definition, term, terms, start='docs')}{also} "
        f"Entry: {where.link(where.title, start='docs')}."
    )


def _capitalized(alias: str) -> str:
    return alias[0].upper() + alias[1:]


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")
