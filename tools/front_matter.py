"""What pages say of one another, made from their front matter.

`python -m tools.front_matter` rewrites docs/generated/, docs/terms.md and docs/previews.json.

For each entry: its definition with the terms in it linked, its prerequisites, its related entries
and those that lead to it, its claims, its sources. For all of them: the A–Z, the learning path,
the map of prerequisites, the previews. Pages include these files, so that nothing is typed twice.
All of it is committed; a test fails when it is stale.
"""

import json
import re
from pathlib import Path

from tools import benchmark
from tools.a_to_z import a_to_z
from tools.generated import write_changed
from tools.glossary import Term, linked, links_of, lookup, orphans, read_terms, reading_order
from tools.prerequisite_map import prerequisite_map
from tools.reference import names_by_entry

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "needs": "Needed first",
    "enables": "Builds on it",
    "contrasts": "Compare",
}
STATUSES = ("proved", "illustrated", "cited", "contested")


def generate(root: Path) -> dict[Path, str]:
    """Every generated file, by its path below ``root``."""
    terms = read_terms(root)
    order = reading_order(terms)
    if problems := orphans(terms):
        raise ValueError("\n".join(problems))
    generated = Path("docs/generated")
    files = {
        Path("docs/terms.md"): a_to_z(terms),
        Path("docs/previews.json"): _previews(terms),
        generated / "entries.md": _entries(order),
        generated / "path.md": _path(order, terms),
        generated / "prerequisites.md": prerequisite_map(order, "../../concepts/"),
    }
    in_dlref = names_by_entry(root)
    leads_to = {term.slug: links_of(term, terms) for term in order}
    for term in order:
        folder = generated / term.slug
        files[folder / "header.md"] = _header(term, terms)
        files[folder / "related.md"] = _related(
            term, [o for o in order if term.slug in leads_to[o.slug]], terms
        )
        if term.slug in in_dlref:
            files[folder / "related.md"] += f"**In dlref**\n\n{', '.join(in_dlref[term.slug])}\n"
        files[folder / "claims.md"] = _claims(term)
        files[folder / "sources.md"] = _sources(term)
    return files | benchmark.generate(root)


def write(root: Path) -> None:
    """Write what has changed, and remove what is generated no more."""
    files = generate(root)
    for path in (root / "docs" / "generated").rglob("*.md"):
        if path.relative_to(root) not in files:
            path.unlink()
    write_changed(root, files)


def _header(term: Term, terms: dict[str, Term]) -> str:
    needed = [lookup(slug, term, terms).link() for slug in term.prerequisites]
    return (
        f"{linked(term.definition, term, terms)}\n{{: .definition }}\n\n"
        f"Read first: {', '.join(needed) or 'nothing, this is where to start'}.\n"
        "{: .prerequisites }\n"
    )


def _related(term: Term, leading_here: list[Term], terms: dict[str, Term]) -> str:
    """The related terms by kind of link, then the entries that lead here and are not among them."""
    by_kind: dict[str, list[Term]] = {kind: [] for kind in KINDS}
    for relation in term.entry["related"]:
        if relation.get("kind") not in KINDS:
            raise ValueError(f"{term.slug}: related: kind must be one of {', '.join(KINDS)}")
        by_kind[relation["kind"]].append(lookup(relation["term"], term, terms))
    named = {other.slug for others in by_kind.values() for other in others} | {term.slug}
    back = [other for other in leading_here if other.slug not in named]
    groups = [(KINDS[kind], others) for kind, others in by_kind.items()]
    lines = []
    for heading, others in [*groups, ("Also speaks of it", back)]:
        if others:
            lines += [f"**{heading}**", ""]
            lines += [f"- {other.link(other.title)}: {other.definition}" for other in others]
            lines += [""]
    return "\n".join(lines)


def _claims(term: Term) -> str:
    names = {source["id"]: source["short"] for source in term.entry["sources"]}
    lines = ["| Claim | Where | How it is known |", "|---|---|---|"]
    for claim in term.entry["claims"]:
        if unknown := set(claim.get("source", [])) - set(names):
            raise ValueError(
                f"{term.slug}: a claim cites {unknown}, which is not among the sources"
            )
        places = []
        if "block" in claim:  # as HTML, since the blocks' ids are no headings that MkDocs knows
            block = claim["block"]
            link = f'<a href="#block-{block}"><code>{block}.py</code></a>'
            places.append(f"{link}: {claim['shows']}")
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


def _entries(order: list[Term]) -> str:
    """A door to each entry: its title and its definition."""
    lines = [f"- {term.link(term.title, 'docs')} {term.definition}" for term in order]
    return "\n".join(['<div class="entries" markdown>', "", *lines, "", "</div>"]) + "\n"


def _path(order: list[Term], terms: dict[str, Term]) -> str:
    """The entries in the order of reading, each with what it builds on: the map as a list."""
    lines = []
    for number, term in enumerate(order, start=1):
        needed = [lookup(slug, term, terms).link(start="docs/paths") for slug in term.prerequisites]
        after = f"builds on {', '.join(needed)}" if needed else "builds on nothing"
        lines += [
            f"{number}.  **{term.link(term.title, 'docs/paths')}** ({after})",
            "",
            f"    {term.definition}",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _previews(terms: dict[str, Term]) -> str:
    """What a link shows before it is followed: address below the site's root → title, definition.

    The aliases are there for the page that no address leads to, which guesses what was meant.
    """
    previews = {
        f"concepts/{term.slug}/" if term.entry else f"terms/#{term.slug}": {
            "title": term.title,
            "definition": term.definition,
            "aliases": term.aliases,
        }
        for term in sorted(terms.values(), key=lambda term: term.slug)
    }
    return json.dumps(previews, ensure_ascii=False, indent=0) + "\n"


if __name__ == "__main__":
    write(ROOT)
