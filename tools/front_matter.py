"""What pages say of one another, made from their front matter.

`python -m tools.front_matter` rewrites docs/generated/ and docs/terms.md.

For each entry: its definition with the terms in it linked, its prerequisites, its related
entries with their definitions, its claims, its sources. Pages include these files, so that
nothing is typed twice. All of it is committed; a test fails when it is stale.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mkdocs.utils.meta import get_data

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"needs": "needed first", "enables": "builds on it", "contrasts": "compare"}
STATUSES = ("proved", "illustrated", "cited", "contested")


@dataclass(frozen=True)
class Term:
    """One word of the glossary: an entry with a page, or a definition among the terms."""

    slug: str
    title: str
    definition: str
    aliases: list[str]
    entry: dict[str, Any] = field(default_factory=dict)  # its front matter, where it has a page

    def link(self, text: str = "") -> str:
        """A Markdown link to the term, from a page of docs/concepts/."""
        target = f"{self.slug}.md" if self.entry else f"../terms.md#{self.slug}"
        return f"[{text or self.title.lower()}]({target})"


def read_terms(root: Path) -> dict[str, Term]:
    """All terms by slug: those of docs/terms.yml, and the entries."""
    listed = yaml.safe_load((root / "docs" / "terms.yml").read_text(encoding="utf-8"))
    terms = {
        slug: Term(slug, term["title"], term["definition"], term.get("aliases", []))
        for slug, term in listed.items()
    }
    for page in sorted((root / "docs" / "concepts").glob("*.md")):
        meta = get_data(page.read_text(encoding="utf-8"))[1]
        if page.stem == "index" or "description" not in meta:
            continue
        if page.stem in terms:
            raise ValueError(f"docs/terms.yml defines {page.stem!r}, which has an entry: remove it")
        terms[page.stem] = Term(
            page.stem, meta["title"], meta["description"], meta.get("aliases", []), meta
        )
    _check_names(terms)
    return terms


def _check_names(terms: dict[str, Term]) -> None:
    owners: dict[str, str] = {}
    for slug, term in terms.items():
        for name in {term.title.lower(), *(alias.lower() for alias in term.aliases)}:
            if owners.setdefault(name, slug) != slug:
                raise ValueError(f"{name!r} names both {owners[name]!r} and {slug!r}: keep one")


def generate(root: Path) -> dict[Path, str]:
    """Every generated file, by its path below ``root``."""
    terms = read_terms(root)
    files = {Path("docs/terms.md"): _terms_page(terms)}
    for slug, term in terms.items():
        if term.entry:
            folder = Path("docs/generated") / slug
            files[folder / "header.md"] = _header(term, terms)
            files[folder / "related.md"] = _related(term, terms)
            files[folder / "claims.md"] = _claims(term)
            files[folder / "sources.md"] = _sources(term)
    return files


def write(root: Path) -> None:
    """Write what has changed, and remove what is generated no more."""
    files = generate(root)
    for path in (root / "docs" / "generated").rglob("*.md"):
        if path.relative_to(root) not in files:
            path.unlink()
    for name, text in files.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _header(term: Term, terms: dict[str, Term]) -> str:
    needed = [_lookup(slug, term, terms).link() for slug in term.entry["prerequisites"]]
    return (
        f"{_linked(term, terms)}\n{{: .definition }}\n\n"
        f"Read first: {', '.join(needed) or 'nothing'}.\n{{: .prerequisites }}\n"
    )


def _linked(term: Term, terms: dict[str, Term]) -> str:
    """The definition, with the first mention of each other term linked."""
    names = {
        name.lower(): other
        for other in terms.values()
        if other is not term
        for name in [other.title, *other.aliases]
    }
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")s?\b", re.I)
    seen = set()

    def link(match: re.Match[str]) -> str:
        other = names[match[1].lower()]
        if other.slug in seen:
            return match[0]
        seen.add(other.slug)
        return other.link(match[0])

    return pattern.sub(link, term.definition)


def _related(term: Term, terms: dict[str, Term]) -> str:
    lines = []
    for relation in term.entry["related"]:
        other = _lookup(relation["term"], term, terms)
        name = f"**{other.link(other.title)}**"
        lines.append(f"- {name} ({KINDS[relation['kind']]}): {other.definition}")
    return "\n".join(lines) + "\n"


def _claims(term: Term) -> str:
    names = {source["id"]: source["short"] for source in term.entry["sources"]}
    lines = ["| Claim | Where | How it is known |", "|---|---|---|"]
    for claim in term.entry["claims"]:
        places = [f"`{claim['block']}.py`: {claim['shows']}"] if "block" in claim else []
        places += [f"[{names[key]}](#{key})" for key in claim.get("source", [])]
        lines.append(f"| {claim['claim']} | {', '.join(places)} | {claim['status']} |")
    return "\n".join(lines) + "\n"


def _sources(term: Term) -> str:
    lines = []
    for source in term.entry["sources"]:
        lines.append(f'- <span id="{source["id"]}"></span>{source["text"]}')
        if "url" in source:
            lines[-1] += f" [{re.sub('^https?://', '', source['url'])}]({source['url']})"
    return "\n".join(lines) + "\n"


def _terms_page(terms: dict[str, Term]) -> str:
    lines = [
        "---",
        "title: Terms",
        "description: The words these pages use, each with a definition of one line.",
        "---",
        "",
        "The words these pages use, each in one line. A linked word has an entry of its own.",
        "",
    ]
    for term in sorted(terms.values(), key=lambda term: term.title.lower()):
        title = f"[{term.title}](concepts/{term.slug}.md)" if term.entry else term.title
        also = f" Also: {', '.join(term.aliases)}." if term.aliases else ""
        lines += [f'<span id="{term.slug}"></span>**{title}**', f":   {term.definition}{also}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _lookup(slug: str, term: Term, terms: dict[str, Term]) -> Term:
    if slug not in terms:
        raise ValueError(f"{term.slug}: {slug!r} is no entry and is not in docs/terms.yml")
    return terms[slug]


if __name__ == "__main__":
    write(ROOT)
