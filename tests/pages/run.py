"""Run one block as the reader would, compare what it prints and draws, and say what went wrong."""

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
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt

from tests.pages.blocks import Block
from tests.pages.isolation import isolated
from tools.figures import differences, to_svg

PYTHON_LIMIT = 5.0  # seconds a Python block may take on one core
BASH_LIMIT = 60.0


class BlockError(Exception):
    """A block that did not do what its page shows. The message is all that is reported."""


def run(block: Block, update: bool = False) -> None:
    """Run a block; raise BlockError unless it does what the page shows.

    Args:
        block: what `extract` gave.
        update: rewrite the snippet's output and figure instead of comparing them.
    """
    figures: list[str] = []
    if block.syntax == "bash":
        printed = _run_bash(block)
    else:
        printed, figures = _run_python(block)
    if update and block.snippet is not None:
        _update(block, printed, figures)
    else:
        _compare_output(block, printed)
        _compare_figure(block, figures)


def _run_python(block: Block) -> tuple[str, list[str]]:
    """Execute the block as `__main__`; return what it printed, and its figures as SVG."""
    if block.snippet is not None:
        name, code = str(block.snippet), block.code
    else:  # line numbers of the page
        name, code = str(block.page), "\n" * block.lineno + block.code
    linecache.checkcache(name)
    printed = io.StringIO()
    with isolated() as main:
        try:
            with contextlib.redirect_stdout(printed), _nothing_left_behind():
                exec(compile(code, name, "exec", dont_inherit=True), main.__dict__)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit and the time limit too
            raise BlockError(_explain(block, error, name)) from None
        return printed.getvalue(), [
            to_svg(plt.figure(number), _figure_name(block)) for number in plt.get_fignums()
        ]


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
        kind, message = "TimeoutError", f"the block took over {PYTHON_LIMIT:.0f} s"
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
    shown = block.snippet.with_suffix(".svg") if block.snippet is not None else None
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


def _update(block: Block, printed: str, figures: list[str]) -> None:
    assert block.snippet is not None
    _check_printable(block, printed)
    if len(figures) > 1:
        raise BlockError(f"{block.where}: the block draws {len(figures)} figures: draw one")
    _rewrite(block.snippet.with_suffix(".out"), printed)
    drawing = block.snippet.with_suffix(".svg")
    old = drawing.read_text(encoding="utf-8") if drawing.exists() else ""
    new = figures[0] + "\n" if figures else ""
    if not (old and new and not differences(old, new)):
        _rewrite(drawing, new)


def _rewrite(path: Path, text: str) -> None:
    """Write, or remove where there is nothing to write; leave alone what has not changed."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if text and text != old:
        path.write_text(text, encoding="utf-8")
    elif not text:
        path.unlink(missing_ok=True)


def _figure_name(block: Block) -> str:
    if block.snippet is None:
        return f"{block.page.stem}-{block.lineno}"
    return f"{block.snippet.parent.name}-{block.snippet.stem}"
