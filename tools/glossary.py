"""The words of the glossary and how they hang together, read from the pages' front matter.

A term is an entry, which has a page in docs/concepts/, or one line of docs/terms.yml. What follows
from the prerequisites is worked out here: the order of reading, and what is wrong with them.
"""

import re
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from mkdocs.utils.meta import get_data

LINK = re.compile(r"\]\((?:\.\./terms\.md#([\w-]+)|([\w-]+)\.md)(?:#[\w-]+)?\)")


@dataclass(frozen=True)
class Term:
    """One word of the glossary: an entry with a page, or a definition among the terms."""

    slug: str
    title: str
    definition: str
    aliases: list[str]
    treated_in: str  # the slug of an entry; an entry treats itself
    entry: dict[str, Any] = field(default_factory=dict)  # its front matter, where it has a page
    mentions: frozenset[str] = frozenset()  # the slugs that an entry's page links to

    def link(self, text: str = "", start: str = "docs/concepts") -> str:
        """A Markdown link to the term, from a page of a folder below docs/, or of docs/ itself."""
        up = "" if start == "docs" else "../"
        concepts = "" if start == "docs/concepts" else f"{up}concepts/"
        target = f"{concepts}{self.slug}.md" if self.entry else f"{up}terms.md#{self.slug}"
        return f"[{text or self.title.lower()}]({target})"

    @property
    def prerequisites(self) -> list[str]:
        """The slugs of what is read first; a term without a page has none."""
        return list(self.entry.get("prerequisites", []))


def read_terms(root: Path) -> dict[str, Term]:
    """All terms by slug: those of docs/terms.yml, and the entries."""
    text = (root / "docs" / "terms.yml").read_text(encoding="utf-8")
    listed = yaml.safe_load(text)
    # Of two terms with one slug, YAML keeps the last.
    slugs = re.findall(r"^([\w-]+):", text, re.MULTILINE)
    if twice := {slug for slug in slugs if slugs.count(slug) > 1}:
        raise ValueError(f"docs/terms.yml defines {', '.join(sorted(twice))} twice: keep one")
    terms = {
        slug: Term(
            slug, term["title"], term["definition"], term.get("aliases", []), term.get("entry", "")
        )
        for slug, term in listed.items()
    }
    for page in sorted((root / "docs" / "concepts").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        meta = get_data(text)[1]
        _check_entry(page.name, meta)
        if page.stem in terms:
            raise ValueError(f"docs/terms.yml defines {page.stem!r}, which has an entry: remove it")
        mentions = _linked_slugs(text) - {page.stem}
        aliases = meta.get("aliases", [])
        terms[page.stem] = Term(
            page.stem, meta["title"], meta["description"], aliases, page.stem, meta, mentions
        )
    _check_names(terms)
    return terms


def _check_entry(name: str, meta: dict[str, Any]) -> None:
    """What all that is generated relies on; the rules of the site check the rest."""
    wanted = {"title": str, "description": str, "prerequisites": list, "related": list}
    for key, kind in (wanted | {"claims": list, "sources": list}).items():
        if not isinstance(meta.get(key), kind):
            what = "a list" if kind is list else "a text"
            raise ValueError(f"{name}: {key!r} in the front matter must be {what}")
    if not all(isinstance(alias, str) for alias in meta.get("aliases", [])):
        raise ValueError(f"{name}: 'aliases' in the front matter must be texts: quote numbers")
    if isinstance(meta.get("aliases", []), str):
        raise ValueError(f"{name}: 'aliases' in the front matter must be a list")


def _check_names(terms: dict[str, Term]) -> None:
    owners: dict[str, str] = {}
    for slug, term in terms.items():
        for name in {term.title.lower(), *(alias.lower() for alias in term.aliases)}:
            if owners.setdefault(name, slug) != slug:
                raise ValueError(f"{name!r} names both {owners[name]!r} and {slug!r}: keep one")


def lookup(slug: str, wanted_by: Term, terms: dict[str, Term]) -> Term:
    """The term of a slug, or an error that names who asked for it."""
    if slug not in terms:
        raise ValueError(f"{wanted_by.slug}: {slug!r} is no entry and is not in docs/terms.yml")
    return terms[slug]


def reading_order(terms: dict[str, Term]) -> list[Term]:
    """The entries, each after all its prerequisites.

    Of those whose prerequisites are all listed, the first in the alphabet comes next. Where that
    reads wrong, a prerequisite is missing.
    """
    entries = {slug: term for slug, term in terms.items() if term.entry}
    graph = {
        slug: [p for p in term.prerequisites if lookup(p, term, terms).entry]
        for slug, term in entries.items()
    }
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        raise ValueError(f"prerequisites go in a circle: {circle}: remove one of them") from None
    order: list[Term] = []
    ready = set(sorter.get_ready())
    while ready:
        slug = min(ready)
        ready.remove(slug)
        order.append(entries[slug])
        sorter.done(slug)
        ready.update(sorter.get_ready())
    return order


def orphans(terms: dict[str, Term]) -> list[str]:
    """What nobody finds: entries that no other entry links to, and terms that none treats."""
    entries = [term for term in terms.values() if term.entry]
    leads_to = {entry.slug: links_of(entry, terms) for entry in entries}
    required = {slug for entry in entries for slug in entry.prerequisites}
    problems = []
    for term in terms.values():
        linking = {slug for slug, leads in leads_to.items() if term.slug in leads}
        if term.entry:
            if not linking - {term.slug}:
                problems.append(f"{term.slug}: no other entry links to it: link it")
            if not term.prerequisites and term.slug not in required:
                problems.append(f"{term.slug}: it requires nothing, and nothing requires it")
            continue
        where = term.treated_in
        if where not in {entry.slug for entry in entries}:
            problems.append(f"{term.slug}: `entry: {where}` in docs/terms.yml is no entry")
        elif where not in linking:
            problems.append(f"{term.slug}: {where} is to treat it but does not link to it")
    return problems


def links_of(term: Term, terms: dict[str, Term]) -> frozenset[str]:
    """The slugs that an entry's page leads to: in its text, its definition, its front matter."""
    related = [relation["term"] for relation in term.entry.get("related", [])]
    in_definition = _linked_slugs(linked(term.definition, term, terms))
    return term.mentions | in_definition | {*term.prerequisites, *related}


def _linked_slugs(text: str) -> frozenset[str]:
    """The terms and entries that a text in Markdown, of a page of docs/concepts/, links to."""
    return frozenset(term or entry for term, entry in LINK.findall(text))


def linked(text: str, term: Term, terms: dict[str, Term], start: str = "docs/concepts") -> str:
    """A definition with the first mention of each other term linked."""
    names = {
        name.lower(): other
        for other in terms.values()
        if other.slug != term.slug
        for name in [other.title, *other.aliases]
    }
    if not names:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")(?:s|es)?\b", re.I)
    seen = set()

    def link(match: re.Match[str]) -> str:
        other = names[match[1].lower()]
        if other.slug in seen:
            return match[0]
        seen.add(other.slug)
        return other.link(match[0], start)

    return pattern.sub(link, text)
