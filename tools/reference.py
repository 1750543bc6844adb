"""The API reference: a page for each concept of dlref, made from the docstrings.

`python -m tools.reference` rewrites docs/reference/. docs/reference.yml says which modules are on
which page. griffe reads dlref without importing it. The pages are committed; a rule of the pages
fails when one is stale.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import griffe
import yaml

from tools.docstrings import Item, Links, definitions, markdown, methods, prose, read
from tools.generated import write_changed
from tools.glossary import Term, linked, read_terms

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("docs/reference")

# What signatures name besides public names; the index explains it.
TYPES = ["backend.Array", "layer.Cache", "layer.Gradients"]
TYPES += ["layers.linear.Initializer", "evaluation.Data", "evaluation.Loss"]
TYPES += ["evaluation.Metric", "layer.Training", "schedules.Schedule", "training.History"]
ANY = Term("", "", "", [], "")  # no term is left out of a page's definition

HEAD = """\
---
title: Reference
description: >-
  Every public name of dlref, the small package behind the entries, with shapes, dtypes, formula,
  errors, source, and an example that runs.
search: {boost: 0.1}
---

`dlref` is the deep net in plain sight: forward, loss, backward, step. It is written once, and runs
on NumPy and on PyTorch.
{: .definition }

Training is four lines, and nothing hides them.

```python title="snippets/home/training_loop.py"
--8<-- "snippets/home/training_loop.py"
```

<!-- pytest-codeblocks:expected-output -->

```text
--8<-- "snippets/home/training_loop.out"
```

Each name below has its shapes and dtypes, its formula where there is one, what it raises, where it
comes from, and an example. The examples are run like every block of this site; what downloads
(`data.mnist`, `data.cifar10`) has none, since no block needs a network. In shapes, N is the
number of examples, C that of classes, and D and M are the widths of a layer's input and output. A
leading `d` means the gradient of the loss: `dlogits` has the shape of `logits`.

Values of arrays on a GPU are not read, since a step would have to wait for them: there, NaN or a
label out of range raises nothing.
"""


@dataclass(frozen=True)
class Page:
    """A page of docs/reference.yml, with its public names in the order of the source."""

    slug: str
    title: str
    modules: list[str]
    description: str
    names: dict[str, Item]
    entry: str = ""  # of the glossary
    section: str = ""  # Markdown below the names


def generate(root: Path) -> dict[Path, str]:
    """Every page of the reference, by its path below ``root``."""
    package, terms = _load(root), read_terms(root)
    pages = _pages(package, root)
    links = {name: f"index.md#{name}" for name in (path.rpartition(".")[2] for path in TYPES)}
    for page in pages:
        for name, item in page.names.items():
            inner = methods(item) if item.is_class else {}
            for key in [name, *(f"{name}.{method}" for method in inner)]:
                links[key] = f"{page.slug}.md#{key}"
    files = {FOLDER / f"{page.slug}.md": _page(page, links, terms) for page in pages}
    return {FOLDER / "index.md": _index(package, pages, links), **files}


def write(root: Path) -> None:
    """Write the pages that have changed."""
    write_changed(root, generate(root))


def read_pages(root: Path) -> list[Page]:
    """The pages, each with its public names.

    Raises:
        ValueError: a public name is on no page, or a page has none.
    """
    return _pages(_load(root), root)


def _pages(package: griffe.Module, root: Path) -> list[Page]:
    by_module: dict[str, dict[str, Item]] = {}
    for export in map(str, package.exports or ()):
        item = package[export]
        item = item.final_target if isinstance(item, griffe.Alias) else item
        if isinstance(item, Item):
            found: dict[str, Item] = {export: item}
        else:  # a package: the functions of its modules that it exports
            public = set(map(str, item.exports or ()))
            inner = map(methods, item.modules.values())
            found = {f"{export}.{name}": m[name] for m in inner for name in m if name in public}
        for name, member in found.items():
            by_module.setdefault(member.module.path.partition(".")[2], {})[name] = member
    pages = []
    for slug, meta in _listed(root).items():
        names: dict[str, Item] = {}
        for module in meta["modules"]:
            inside = by_module.pop(module, {})
            if not inside:
                raise ValueError(f"docs/reference.yml: {slug}: {module!r} has no public name")
            names |= dict(sorted(inside.items(), key=lambda pair: pair[1].lineno or 0))
        pages.append(Page(slug, names=names, **meta))
    if by_module:
        left = [f"dlref.{name}" for names in by_module.values() for name in names]
        modules = ", ".join(by_module)
        raise ValueError(f"docs/reference.yml: no page has {', '.join(left)}: list {modules}")
    return pages


def names_by_entry(root: Path) -> dict[str, list[str]]:
    """The public names that belong to an entry of the glossary, as links from its page."""
    found: dict[str, list[str]] = {}
    for page in read_pages(root):
        links = [f"[`{name}`](../reference/{page.slug}.md#{name})" for name in page.names]
        found.setdefault(page.entry, []).extend(links)
    return found


def paths(root: Path) -> set[Path]:
    """Where the generated pages are."""
    return {root / FOLDER / f"{slug}.md" for slug in ["index", *_listed(root)]}


def _listed(root: Path) -> dict[str, dict[str, Any]]:
    text = (root / "docs" / "reference.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _load(root: Path) -> griffe.Module:
    options: griffe.GoogleOptions = {
        "returns_multiple_items": False,
        "returns_named_value": False,
    }
    package = griffe.load(
        "dlref",
        search_paths=[root],
        try_relative_path=False,
        allow_inspection=False,
        docstring_parser="google",
        docstring_options=options,
    )
    assert isinstance(package, griffe.Module)
    return package


def _page(page: Page, links: Links, terms: dict[str, Term]) -> str:
    definition = linked(page.description, ANY, terms, str(FOLDER))
    head = ["---", f"title: {page.title}", f"description: {page.description}"]
    files = [f"dlref/{name.replace('.', '/')}.py" for name in page.modules]
    head += [f"made_from: [{', '.join(files)}]"]
    head += ["search: {boost: 0.1}", "---", "", definition, "{: .definition }", ""]
    if page.entry in terms:
        entry = terms[page.entry]
        head += [f"Explained in the entry {entry.link(entry.title, str(FOLDER))}."]
        head += ["{: .prerequisites }", ""]
    by_name = {
        name.lower(): term for term in terms.values() for name in [term.title, *term.aliases]
    }
    body = []
    for name, item in page.names.items():
        term = by_name.get(name.lower().replace("_", "-"))
        line = f"{term.link(term.title, str(FOLDER))}: {term.definition}" if term else ""
        body += [markdown(name, item, links, line), ""]
    body += [page.section] if page.section else []
    return "\n".join([*head, *body])


def _index(package: griffe.Module, pages: list[Page], links: Links) -> str:
    """What dlref is, a line for each public name, and the types that signatures name."""
    lines = [HEAD, "## Every public name {: #names }", ""]
    for page in pages:
        names = [
            prose(f"``{name}``: {read(item).summary}", links) for name, item in page.names.items()
        ]
        lines += [definitions(f"[{page.title}]({page.slug}.md)", names), ""]
    lines += ["## Types in signatures {: #types }", ""]
    for path in TYPES:
        name, text = path.rpartition(".")[2], prose(read(package[path]).summary, links)
        lines += [definitions(f"`{name}`{{: #{name} }}", [text]), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    write(ROOT)
