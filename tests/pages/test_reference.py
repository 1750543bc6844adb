"""The pages of the reference: every public name once, every link right, mistakes named."""

import re
import sys
from pathlib import Path

import pytest

import dlref
from tests.pages.conftest import ROOT
from tests.pages.site import Site
from tools import reference


def headings(files: dict[Path, str]) -> list[str]:
    return [
        name for text in files.values() for name in re.findall(r"^## (\S+) {: #\1 }", text, re.M)
    ]


def test_every_public_name_is_on_one_page_once() -> None:
    found = headings(reference.generate(ROOT))
    inside = {name.partition(".")[0] for name in found}
    assert len(found) == len(set(found))
    assert inside == set(dlref.__all__)


def test_public_methods_follow_their_class() -> None:
    text = reference.generate(ROOT)[Path("docs/reference/layers.md")]
    found = re.findall(r"^##+ (\S+) {", text, re.M)
    assert found[:5] == [
        "Layer",
        *(f"Layer.{m}" for m in ("forward", "backward", "with_params", "to")),
    ]


def test_nav_has_the_pages_in_their_order() -> None:
    nav = Site(ROOT).config.nav
    assert nav is not None
    (listed,) = (item["Reference"] for item in nav if "Reference" in item)
    pages = ["reference/index.md", *(f"reference/{p.slug}.md" for p in reference.read_pages(ROOT))]
    assert [page for page in listed if page in pages] == pages


def test_public_name_on_no_page_is_an_error_that_names_it_and_its_file(copy: Path) -> None:
    listed = copy / "docs" / "reference.yml"
    listed.write_text(
        listed.read_text().replace("[neural_network, layers.residual]", "[neural_network]")
    )
    with pytest.raises(ValueError, match=r"no page has dlref\.Residual: list layers.residual"):
        reference.generate(copy)


def test_module_without_a_public_name_is_an_error_that_names_it(copy: Path) -> None:
    listed = copy / "docs" / "reference.yml"
    text = listed.read_text().replace("[neural_network, ", "[neural_network, liner, ")
    listed.write_text(text)
    with pytest.raises(ValueError, match=r"reference\.yml: networks: 'liner' has no public name"):
        reference.generate(copy)


def test_section_that_no_page_shows_is_an_error_that_names_it(copy: Path) -> None:
    source = copy / "dlref" / "metrics.py"
    source.write_text(
        source.read_text().replace("    Args:\n", "    Note:\n        N.\n\n    Args:\n")
    )
    with pytest.raises(ValueError, match=r"dlref\.metrics\.accuracy: .* 'admonition'"):
        reference.generate(copy)


def test_code_of_dlref_is_read_and_not_run(copy: Path) -> None:
    source = copy / "dlref" / "metrics.py"
    source.write_text(source.read_text() + "\nraise SystemExit\n")
    before = set(sys.modules)
    assert reference.generate(copy) == reference.generate(ROOT)
    assert set(sys.modules) == before


def test_entry_and_reference_lead_to_each_other() -> None:
    related = (ROOT / "docs/generated/loss-function/related.md").read_text(encoding="utf-8")
    assert "[`cross_entropy`](../reference/losses.md#cross_entropy)" in related
    page = (ROOT / "docs/reference/losses.md").read_text(encoding="utf-8")
    assert "[Loss function](../concepts/loss-function.md)" in page
