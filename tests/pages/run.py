"""Run a block, or the cells of a lesson, as the reader would, compare what they print and draw, and
say what went wrong."""

import ast
import atexit
import contextlib
import difflib
import io
import linecache
import os
import subprocess
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt

from tests.pages.blocks import Block, Lesson
from tests.pages.isolation import isolated
from tools import notebooks
from tools.figures import differences, to_svg

PYTHON_LIMIT = 5.0  # seconds a Python block may take on one core
LESSON_LIMIT = 60.0  # and all the cells of a lesson together
BASH_LIMIT = 60.0

Result = tuple[str, list[str]]  # what was printed, and the figures that were drawn, as SVG


class BlockError(Exception):
    """A block that did not do what its page shows. The message is all that is reported."""


def run(block: Block, update: bool = False) -> None:
    """Run a block or a lesson; raise BlockError unless it does what the page shows.

    Args:
        block: what `extract` gave.
        update: rewrite the outputs and figures instead of comparing them.
    """
    results = [(_run_bash(block), [])] if block.syntax == "bash" else _run_python(block)
    if update and isinstance(block, Lesson):
        _update_lesson(block, results)
    elif update and block.snippet is not None:
        _update_snippet(block, *results[0])
    else:
        for cell, (printed, figures) in zip(block.cells, results, strict=True):
            _compare_output(cell, printed)
            _compare_figure(cell, figures)


def _run_python(block: Block) -> list[Result]:
    """Execute the cells as one `__main__`."""
    linecache.checkcache(str(block.snippet or block.page))
    with isolated() as main:
        return [_run_cell(cell, main) for cell in block.cells]


def _run_cell(cell: Block, main: types.ModuleType) -> Result:
    if cell.snippet is not None:
        name, code = str(cell.snippet), cell.code
    else:  # line numbers of the page
        name, code = str(cell.page), "\n" * cell.lineno + cell.code
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), _nothing_left_behind():
            value = _execute(code, name, main)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit and the time limit too
        raise BlockError(_explain(cell, error, name)) from None
    if value is not None and cell.site.is_lesson(cell.page):
        raise BlockError(
            f"{cell.where}: a notebook would show the value of the cell's last line, {value!r}, "
            "which no output shows: print it, or give it a name"
        )
    drawn = [to_svg(plt.figure(number), _figure_name(cell)) for number in plt.get_fignums()]
    plt.close("all")
    return printed.getvalue(), drawn


def _execute(code: str, name: str, main: types.ModuleType) -> object:
    """Execute code; return the value of its last line, if that is an expression."""
    tree = ast.parse(code, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec", dont_inherit=True), main.__dict__)
    if not isinstance(last, ast.Expr):
        return None
    expression = compile(ast.Expression(last.value), name, "eval", dont_inherit=True)
    return eval(expression, main.__dict__)


@contextlib.contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Raise if a block prints where it cannot be compared: by a process, a thread, at exit."""
    threads, at_exit = threading.active_count(), atexit._ncallbacks()
    sys.stdout.flush()
    own = os.dup(1)
    with tempfile.TemporaryFile() as unseen:
        os.dup2(unseen.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(own, 1)
            os.close(own)
        unseen.seek(0)
        if past := unseen.read().decode(errors="replace"):
            raise RuntimeError(f"printed past Python's own output, as a process does: {past!r}")
    if threading.active_count() > threads:
        raise RuntimeError("a thread is still running when the block ends: join it")
    if atexit._ncallbacks() > at_exit:
        raise RuntimeError("the block leaves something to do at exit, which no page can show")


def _run_bash(block: Block) -> str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.code],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=BASH_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BlockError(f"{block.where}: the block took over {BASH_LIMIT:.0f} s") from None
    if result.returncode:
        raise BlockError(
            f"{block.where}: bash ended with exit status {result.returncode}\n{result.stderr}"
        )
    return result.stdout


def _explain(block: Block, error: BaseException, name: str) -> str:
    """Page and line, exception type and message, then every source line on the way there."""
    kind = type(error).__name__
    message = str(error) or "no message"
    if isinstance(error, SystemExit):
        message = f"a block must not exit ({error.code!r})"
    elif "Timeout" in message:
        lesson = block.site.is_lesson(block.page)
        what = (
            f"lesson took over {LESSON_LIMIT:.0f}"
            if lesson
            else f"block took over {PYTHON_LIMIT:.0f}"
        )
        kind, message = "TimeoutError", f"the {what} s"
    lines = [f"{block.where}: {kind}: {message}"]
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename == name:
        lines.append(f"  {_short(block, name)}:{error.lineno}\n    {(error.text or '').strip()}")
    own = next((i for i, frame in enumerate(frames) if frame.filename == name), len(frames))
    for frame in frames[own:]:
        lines.append(f"  {_short(block, frame.filename)}:{frame.lineno}\n    {frame.line}")
    return "\n".join(lines)


def _short(block: Block, name: str) -> str:
    path = Path(name)
    return block.site.relative(path) if path.is_relative_to(block.site.root) else path.name


def _compare_output(block: Block, printed: str) -> None:
    _check_printable(block, printed)
    if block.expected_output is None and printed:
        raise BlockError(
            f"{block.where}: the block prints, but the page shows no output:\n{printed}"
        )
    if block.expected_output is not None and printed != block.expected_output:
        shown = block.expected_output.splitlines()
        diff = difflib.unified_diff(shown, printed.splitlines(), "shown", "printed", lineterm="")
        raise BlockError(
            f"{block.where}: the block does not print what the page shows "
            "(make outputs rewrites it):\n" + "\n".join(diff)
        )


def _check_printable(block: Block, printed: str) -> None:
    """Raise if a fence cannot show what was printed."""
    if "\r" in printed or (printed and not printed.endswith("\n")):
        raise BlockError(
            f"{block.where}: output must end with a newline and hold no \\r: {printed!r}"
        )


def _compare_figure(block: Block, figures: list[str]) -> None:
    shown = block.figure
    committed = shown is not None and shown.exists()
    if len(figures) > 1 or len(figures) != committed:
        raise BlockError(
            f"{block.where}: the block draws {len(figures)} figures, and "
            f"{'one is' if committed else 'none is'} committed (make outputs rewrites them)"
        )
    if shown is not None and committed:
        changes = differences(shown.read_text(encoding="utf-8"), figures[0])
        if changes:
            raise BlockError(
                f"{block.where}: the block does not draw the figure of the page "
                "(make outputs rewrites it):\n" + "\n".join(changes[:10])
            )


def _update_snippet(block: Block, printed: str, figures: list[str]) -> None:
    assert block.snippet is not None
    _check_printable(block, printed)
    _rewrite(block.snippet.with_suffix(".out"), printed)
    _update_figure(block, figures)


def _update_lesson(lesson: Lesson, results: list[Result]) -> None:
    """Rewrite the outputs in the lesson's page, its figures, and the notebook made of them."""
    for cell, (printed, figures) in zip(lesson.cells, results, strict=True):
        _check_printable(cell, printed)
        _update_figure(cell, figures)
    text = lesson.page.read_text(encoding="utf-8")
    _rewrite(lesson.page, notebooks.with_outputs(text, [printed for printed, _ in results]))
    notebooks.write(lesson.site.root)


def _update_figure(block: Block, figures: list[str]) -> None:
    if len(figures) > 1:
        raise BlockError(f"{block.where}: the block draws {len(figures)} figures: draw one")
    if block.figure is None:
        if figures:
            raise BlockError(f"{block.where}: the block draws, and the page shows no figure below")
        return
    old = block.figure.read_text(encoding="utf-8") if block.figure.exists() else ""
    new = figures[0] + "\n" if figures else ""
    if not (old and new and not differences(old, new)):
        _rewrite(block.figure, new)


def _rewrite(path: Path, text: str) -> None:
    """Write, or remove where there is nothing to write; leave alone what has not changed."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if text and text != old:
        path.write_text(text, encoding="utf-8")
    elif not text:
        path.unlink(missing_ok=True)


def _figure_name(block: Block) -> str:
    if block.figure is None:
        return f"{block.page.stem}-{block.lineno}"
    return f"{block.figure.parent.name}-{block.figure.stem}"
