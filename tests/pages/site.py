"""A site on disk: its pages, its configuration, and the Markdown that renders them."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import markdown
import yaml
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.utils.meta import get_data

GENERATED = Path("docs/generated")  # included by pages, never a page itself


@dataclass(frozen=True)
class Site:
    """The folder that holds mkdocs.yml."""

    root: Path

    @staticmethod
    def of(path: Path) -> "Site | None":
        """The site that a file belongs to: the nearest folder above it with a mkdocs.yml."""
        for folder in path.resolve().parents:
            if (folder / "mkdocs.yml").exists():
                return _site(folder)
        return None

    def pages(self) -> list[Path]:
        """Everything a reader sees as a page: docs/ and the Markdown files of the root."""
        in_docs = sorted((self.root / "docs").rglob("*.md"))
        pages = [page for page in in_docs if not page.is_relative_to(self.root / GENERATED)]
        return [*sorted(self.root.glob("*.md")), *pages]

    def is_page(self, path: Path) -> bool:
        return path in self.pages()

    def is_entry(self, page: Path) -> bool:
        return page.parent == self.root / "docs" / "concepts" and page.stem != "index"

    def is_lesson(self, page: Path) -> bool:
        return page.parent == self.root / "docs" / "lessons"

    def relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    @functools.cached_property
    def config(self) -> MkDocsConfig:
        return load_config(str(self.root / "mkdocs.yml"))

    def markdown(self) -> markdown.Markdown:
        """Python-Markdown with the extensions and options of mkdocs.yml."""
        return markdown.Markdown(
            extensions=self.config.markdown_extensions,
            extension_configs=self.config.mdx_configs,
        )


def front_matter(page: Path) -> dict[str, Any]:
    """A page's front matter, or nothing where it has none."""
    return dict(get_data(page.read_text(encoding="utf-8"))[1])


def front_matter_length(text: str) -> int:
    """How many lines the front matter takes, both `---` included."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return 0
    try:
        end = next(i for i, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "..."))
        yaml.safe_load("\n".join(lines[1:end]))
    except (StopIteration, yaml.YAMLError):
        return 0
    return end + 1


_site = functools.cache(Site)
