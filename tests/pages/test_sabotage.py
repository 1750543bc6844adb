"""Every rule has a sabotage: a copy of the site is damaged, and the check must say why.

Without this, a rule that stopped working would look like a site without faults.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pages import gate, rules, site_rules
from tests.pages.blocks import extract
from tests.pages.conftest import Run
from tests.pages.site import Site
from tools import front_matter

PAGE = "docs/concepts/loss-function.md"
SNIPPET = "snippets/loss-function/squared_error.py"
OUTPUT = "snippets/loss-function/squared_error.out"
BLOCK = f"""```python title="{SNIPPET}"
--8<-- "{SNIPPET}"
```

<!-- pytest-codeblocks:expected-output -->

```text
--8<-- "{OUTPUT}"
```
"""
SATURATION = "snippets/loss-function/saturation.py"
BLOCK_ALONE = BLOCK.partition("\n\n")[0] + "\n"
OVERVIEW = "## Overview\n"


@dataclass(frozen=True)
class Sabotage:
    """Replace `old` by `new` in a file of the copy; the check must report `expected`."""

    name: str
    old: str
    new: str
    expected: str  # a regular expression
    path: str = PAGE


def insert(name: str, text: str, expected: str) -> Sabotage:
    """Put text at the beginning of the overview."""
    return Sabotage(name, OVERVIEW, f"{OVERVIEW}\n{text}\n", expected)


def fence(opening: str) -> str:
    return f"{opening}\nprint(1)\n```"


PAGE_SABOTAGES = [
    insert("tilde fence", "~~~python\nprint(1)\n~~~", "fence-form: a ~~~ fence"),
    insert("space before language", fence("``` python"), "fence-form: a space before"),
    insert("capital letter", fence("```Python"), "fence-language: 'Python'"),
    insert("python3", fence("```python3"), "fence-language: 'python3'"),
    insert("attribute list", fence("```{.python}"), "fence-language: '{.python}'"),
    insert("pycon", fence("```pycon"), "fence-language: 'pycon'"),
    insert("zsh", fence("```zsh"), "fence-language: 'zsh'"),
    insert("sh is a bash that is not run", fence("```sh"), "fence-language: 'sh'"),
    insert("no language", fence("```"), "fence-language: 'no language'"),
    insert("four backticks", "````text\nx\n````", "fence-form: a fence of four"),
    insert("line begins with three backticks", "```x``` is code", "fence-form: a line that begins"),
    insert("fence never closed", "```text\nx", "fence-form: the fence is not closed"),
    insert("indented code", "Text:\n\n    print(1)", "indented-code: .*print\\(1\\)"),
    insert("inline code with a language", "`#!python print(1)`", "inline-highlight"),
    insert("fence in a quote", "> ```python\n> print(1)\n> ```", "fence-form: a fence in a quote"),
    insert(
        "fence on a list line", "- ```python\n  print(1)\n  ```", "fence-form: a fence in a quote"
    ),
    insert(
        "include of a missing file", '--8<-- "snippets/no.py"', "include-target: the file is not"
    ),
    insert("include of a page", '--8<-- "docs/concepts/gradient-descent.md"', "include-target: "),
    insert("include of lines", f'--8<-- "{SNIPPET}:1:3"', "include-target: .*only whole files"),
    insert("include over lines", f"--8<--\n{SNIPPET}\n--8<--", "include-target: an include is one"),
    insert("Python as text", "```text\nimport dlref\n```", "text-fence: "),
    insert("Python in a console", "```console\n>>> 1 + 1\n2\n```", "text-fence: Python in a"),
    insert("hidden element", "<div hidden markdown>\nx\n</div>", "hidden-html: "),
    insert("code in a comment", "<!--\n```python\nprint(1)\n```\n-->", "html-comment"),
    insert("cont", "<!--pytest-codeblocks:cont-->", "codeblocks-comment: 'cont'"),
    insert("skip", "<!--pytest.mark.skip-->", "codeblocks-comment: 'pytest.mark.skip'"),
    insert("importorskip", "<!--pytest-codeblocks:importorskip(jax)-->", "codeblocks-comment: "),
    insert("skipfile", "<!--pytest-codeblocks:skipfile-->", "codeblocks-comment: 'skipfile'"),
    insert(
        "expected-output after no block",
        "<!-- pytest-codeblocks:expected-output -->\n\n```text\nx\n```",
        "codeblocks-comment: expected-output must follow",
    ),
    Sabotage(
        "expected-output before no text fence",
        f'expected-output -->\n\n```text\n--8<-- "{OUTPUT}"\n```',
        "expected-output -->\n",
        "codeblocks-comment: expected-output must be followed",
    ),
    insert("code of its own", fence("```python"), "snippet-only: a Python block is one include"),
    Sabotage(
        "more than the include",
        f'--8<-- "{SNIPPET}"',
        f'--8<-- "{SNIPPET}"\nprint(1)',
        "snippet-only: a Python block is one include",
    ),
    Sabotage(
        "title of another file",
        f'title="{SNIPPET}"',
        'title="snippets/loss-function/other.py"',
        "snippet-only: the title must name",
    ),
    Sabotage(
        "highlight out of range",
        f'title="{SNIPPET}"',
        f'title="{SNIPPET}" hl_lines="3 99"',
        'highlight-range: hl_lines="3 99"',
    ),
    Sabotage("neither output nor assertion", BLOCK, BLOCK_ALONE, "verified: "),
    Sabotage(
        "output shown, not compared",
        BLOCK,
        BLOCK.replace("<!-- pytest-codeblocks:expected-output -->\n\n", ""),
        "text-fence: ",
    ),
    Sabotage(
        "output of another snippet",
        f'--8<-- "{OUTPUT}"',
        '--8<-- "snippets/loss-function/cross_entropy.out"',
        "output-pairing: .*squared_error.out",
    ),
    Sabotage(
        "block too long", "import dlref", "import dlref\n" + "\n" * 30, "block-length", SNIPPET
    ),
    Sabotage("empty output", "squared", "", "include-target: .* is empty", OUTPUT),
    Sabotage(
        "three backticks in a docstring",
        "import dlref\n",
        'import dlref\n\n"""\n```\n"""\n',
        "include-target: .* holds three backticks",
        SNIPPET,
    ),
    Sabotage(
        "figure without alt text", 'aria-label="Two curves', 'title="Two curves', "figure-form"
    ),
    Sabotage(
        "alt text with another number", "0.0007. Both", "0.0008. Both", "figure-form: .*0.0008"
    ),
]

REFERENCE = "docs/reference/losses.md"
REFERENCE_SABOTAGES = [
    Sabotage(
        "an example changed in its docstring",
        "np.zeros((2, 4))",
        "np.zeros((2, 5))",
        f"{REFERENCE}:1: generated: the docstrings of dlref make another page",
        "dlref/losses.py",
    ),
    Sabotage(
        "a block added to a page of the reference",
        "## mse",
        "```python\nassert [1]\n```\n\n## mse",
        f"{REFERENCE}:1: generated: the docstrings of dlref make another page",
        REFERENCE,
    ),
]

BLOCK_SABOTAGES = [
    Sabotage(
        "another output", "[1. 0. 9.]", "[1. 0. 8.]", r"-squared errors: \[1. 0. 8.\]", OUTPUT
    ),
    Sabotage(
        "an exception",
        "loss, dpredictions",
        "loss = {}['missing']\nloss, dpredictions",
        r"loss-function.md:\d+: KeyError: 'missing'\n  snippets/loss-function/squared_error.py:9\n"
        r"    loss = \{\}\['missing'\]",
        SNIPPET,
    ),
    Sabotage(
        "an exit",
        "import dlref\n",
        "import dlref\nraise SystemExit(3)\n",
        r"SystemExit: .*3",
        SNIPPET,
    ),
    Sabotage(
        "an error in dlref", "targets)\n\nprint", "targets[:2])\n\nprint", r"losses.py:\d+", SNIPPET
    ),
    Sabotage(
        "a warning",
        "import dlref\n",
        "import dlref\nimport warnings\nwarnings.warn('old')\n",
        "UserWarning: old",
        SNIPPET,
    ),
    Sabotage(
        "a NumPy warning",
        "import dlref\n",
        "import dlref\nnp.log(np.zeros(1))\n",
        "RuntimeWarning",
        SNIPPET,
    ),
    Sabotage(
        "over the time limit",
        "import dlref\n",
        "import dlref\nimport time\ntime.sleep(60)\n",
        "TimeoutError: the block took over",
        SNIPPET,
    ),
    Sabotage("not Python", "import dlref\n", "import dlref\nfor\n", "SyntaxError", SNIPPET),
    Sabotage(
        "no seed",
        "np.array([2.0, 5.0, 4.0])",
        "np.random.normal(size=3)",
        "does not print what the page shows",
        SNIPPET,
    ),
    Sabotage(
        "output of a process",
        "import dlref\n",
        "import dlref\nimport os\nos.write(1, b'hi')\n",
        "printed past Python's own output.*hi",
        SNIPPET,
    ),
    Sabotage(
        "a thread that prints later",
        "import dlref\n",
        "import dlref\nimport threading\nthreading.Timer(0.2, print, ['late']).start()\n",
        "a thread is still running",
        SNIPPET,
    ),
    Sabotage(
        "something at exit",
        "import dlref\n",
        "import dlref\nimport atexit\natexit.register(print)\n",
        "something to do at exit",
        SNIPPET,
    ),
    Sabotage(
        "no newline at the end",
        "dpredictions.round(4))",
        "dpredictions.round(4), end='')",
        "must end with a newline",
        SNIPPET,
    ),
    Sabotage(
        "a figure nobody shows",
        "import dlref\n",
        "import dlref\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n",
        "draws 1 figures, and none is committed",
        SNIPPET,
    ),
    Sabotage(
        "output printed, none shown",
        'print("squared errors:"',
        'assert loss > 0\nprint("squared errors:"',
        "the block prints, but the page shows no output",
        SNIPPET,
    ),
]

SITE_SABOTAGES = [
    Sabotage("front matter without level", "level: beginner\n", "", "lacks 'level'"),
    Sabotage("unknown level", "level: beginner", "level: easy", "level must be one of"),
    Sabotage("unknown kind of relation", "kind: needs", "kind: likes", "kind must be one of"),
    Sabotage("missing section", "## Why it matters", "## Why", "missing \\['Why it matters'\\]"),
    Sabotage("claim without evidence", "    source: [guo2017]\n", "", "names neither a block nor"),
    Sabotage(
        "claim of unknown status", "status: contested", "status: sure", "status must be one of"
    ),
    Sabotage(
        "claim with another value",
        "squared error -0.0007",
        "squared error -0.7",
        "not in the output",
    ),
    Sabotage("claim of a missing block", "block: saturation", "block: satiation", "does not show"),
    Sabotage(
        "claim of a missing source", "source: [guo2017]", "source: [guo]", "not among the sources"
    ),
    Sabotage("source cited nowhere", "[Guo 2017](#guo2017)", "Guo 2017", "cited nowhere"),
    insert("a seventh block", BLOCK, "7 blocks before the exercises"),
    insert(
        "snippet of another entry",
        '--8<-- "snippets/gradient-descent/by_hand.py"',
        "own-snippets: .*is not of this entry",
    ),
    Sabotage(
        "a solution too few",
        '    --8<-- "snippets/loss-function/know_nothing.py"\n',
        "\n",
        "entry-blocks: 1 solutions that run",
    ),
    Sabotage(
        "no figure",
        '--8<-- "snippets/loss-function/saturation.svg"\n',
        "\n",
        "entry-blocks: an entry has a figure",
    ),
]


def damage(root: Path, sabotage: Sabotage) -> None:
    path = root / sabotage.path
    text = path.read_text(encoding="utf-8")
    assert sabotage.old in text, "the sabotage no longer finds what it would damage"
    if sabotage.new == "":
        damaged = "" if sabotage.path == OUTPUT else text.replace(sabotage.old, "")
    else:
        damaged = text.replace(sabotage.old, sabotage.new, 1)
    path.write_text(damaged, encoding="utf-8")


@pytest.mark.parametrize("sabotage", PAGE_SABOTAGES, ids=lambda s: s.name)
def test_page_rule_rejects_by_name_with_file_and_line(
    sabotage: Sabotage, copy: Path, run_pages: Run
) -> None:
    damage(copy, sabotage)
    failed, report = run_pages(PAGE)
    assert failed == {"rules"}
    assert re.search(rf"^{PAGE}:\d+: {sabotage.expected}", report, re.MULTILINE), report


@pytest.mark.parametrize("sabotage", REFERENCE_SABOTAGES, ids=lambda s: s.name)
def test_page_of_the_reference_that_is_not_its_docstrings_is_rejected(
    sabotage: Sabotage, copy: Path, run_pages: Run
) -> None:
    damage(copy, sabotage)
    failed, report = run_pages(REFERENCE)
    assert failed == {"rules"}
    assert sabotage.expected in report


@pytest.mark.parametrize("sabotage", BLOCK_SABOTAGES, ids=lambda s: s.name)
def test_block_failure_says_where_and_why(
    sabotage: Sabotage, copy: Path, run_pages: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.pages.plugin.PYTHON_LIMIT", 1.0)
    damage(copy, sabotage)
    if sabotage.name == "output printed, none shown":
        damage(copy, Sabotage("", BLOCK, BLOCK_ALONE, ""))
    page = (copy / PAGE).read_text(encoding="utf-8").split("\n")
    line = next(i for i, text in enumerate(page, 1) if f'title="{SNIPPET}"' in text)
    failed, report = run_pages(f"{PAGE}::line {line}")
    assert failed == {f"line {line}"}, report
    assert f"{PAGE}:{line}: " in report
    assert re.search(sabotage.expected, report), report


@pytest.mark.parametrize("sabotage", SITE_SABOTAGES, ids=lambda s: s.name)
def test_site_rule_rejects(sabotage: Sabotage, copy: Path) -> None:
    damage(copy, sabotage)
    problems = [str(problem) for problem in site_rules.check(Site(copy))]
    assert problems
    assert any(re.search(f"{PAGE}.*{sabotage.expected}", problem) for problem in problems), problems


def test_generated_chart_without_alt_text_is_rejected(copy: Path) -> None:
    chart = copy / "docs" / "generated" / "benchmark" / "net-1.html"
    page = copy / "docs" / "reference" / "benchmark.md"
    assert rules.check(page, Site(copy)) == []
    chart.write_text(chart.read_text().replace("aria-label", "title", 1))
    assert [problem.rule for problem in rules.check(page, Site(copy))] == ["figure-form"]


@pytest.mark.parametrize("name", ["orphan.py", "orphan.out", "orphan.svg"])
def test_file_that_no_page_shows_is_rejected(name: str, copy: Path) -> None:
    (copy / "snippets" / "loss-function" / name).write_text("print(1)\n")
    problems = [str(problem) for problem in site_rules.check(Site(copy))]
    assert problems == [
        f"snippets/loss-function/{name}:1: shown-somewhere: "
        "no page shows this file: include it or remove it"
    ]


def test_changed_figure_is_rejected(copy: Path, run_pages: Run) -> None:
    damage(copy, Sabotage("", 'label="cross-entropy"', 'label="entropy"', "", SATURATION))
    failed, report = run_pages(PAGE)
    assert len(failed) == 1
    assert "does not draw the figure of the page" in report


def test_failing_bash_block_is_reported_with_its_stderr(copy: Path, run_pages: Run) -> None:
    damage(copy, insert("", "```bash\necho seen >&2; false; true\n```", ""))
    failed, report = run_pages(PAGE)
    assert len(failed) == 1
    assert "bash ended with exit status 1\nseen" in report


def test_generated_files_that_are_stale_are_found(copy: Path) -> None:
    damage(copy, Sabotage("", "title: Loss function", "title: Loss", ""))
    assert any(
        (copy / name).read_text(encoding="utf-8") != text
        for name, text in front_matter.generate(copy).items()
    )


def executed_blocks(site: Site) -> dict[Path, gate.Blocks]:
    """What a run of every page would have executed."""
    return {
        page: gate.Blocks(
            gate.key(cell.syntax, cell.code, cell.expected_output or "")
            for block in extract(page, site)
            for cell in block.cells
        )
        for page in site.pages()
    }


GATE_SABOTAGES = [
    insert(
        "raw HTML",
        '<div class="language-python highlight"><pre><code>print(1)\n</code></pre></div>',
        "shows 1 python block that was not run:\nprint\\(1\\)",
    ),
    insert("raw HTML of no language", "<pre>print(1)</pre>", "no known language"),
    insert(
        "a script from elsewhere",
        '<script src="https://example.org/x.js"></script>',
        "another host",
    ),
    insert("a picture from elsewhere", '<img alt="" src="//example.org/x.png">', "another host"),
    Sabotage(
        "raw HTML in the README",
        "# ",
        '<div class="language-python highlight"><pre><code>print(1)\n</code></pre></div>\n\n# ',
        "README.md: shows 1 python block",
        "README.md",
    ),
]


@pytest.mark.parametrize("sabotage", GATE_SABOTAGES, ids=lambda s: s.name)
def test_gate_finds_what_no_rule_on_markdown_sees(sabotage: Sabotage, copy: Path) -> None:
    damage(copy, sabotage)
    site = Site(copy)
    problems = "\n".join(gate.check(site, executed_blocks(site)))
    assert re.search(sabotage.expected, problems), problems


def test_gate_finds_a_block_run_once_and_shown_twice(copy: Path) -> None:
    site = Site(copy)
    once = executed_blocks(site)
    page = copy / PAGE
    page.write_text(page.read_text(encoding="utf-8").replace(OVERVIEW, OVERVIEW + "\n" + BLOCK, 1))
    assert any("shows 1 python block that was not run" in p for p in gate.check(site, once))


def test_gate_finds_a_block_run_but_not_shown(copy: Path) -> None:
    site = Site(copy)
    executed = executed_blocks(site)
    executed[copy / PAGE]["python", "print('unseen')", ""] += 1
    assert any("was run that it does not show" in p for p in gate.check(site, executed))


def test_gate_refuses_a_session_that_did_not_run_every_page(copy: Path) -> None:
    assert any("not run in this session" in p for p in gate.check(Site(copy), {}))


def test_undamaged_copy_has_no_problem(copy: Path, run_pages: Run) -> None:
    site = Site(copy)
    assert not site_rules.check(site)
    assert not gate.check(site, executed_blocks(site))
    assert run_pages(PAGE)[0] == set()
