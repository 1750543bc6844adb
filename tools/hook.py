"""MkDocs hook: make the generated files before each build, so that live reload shows them.

It does nothing more. All but the wheel are committed, so a site generator without hooks builds the
same pages. The notebooks of a built site know its address; the committed ones know none.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig

from tools import front_matter, notebooks, reference, wheel


def on_pre_build(config: MkDocsConfig) -> None:
    root = Path(config.config_file_path).parent
    front_matter.write(root)
    reference.write(root)
    wheel.write(root)


def on_post_build(config: MkDocsConfig) -> None:
    root = Path(config.config_file_path).parent
    notebooks.publish(root, Path(config.site_dir), config.site_url or "")
