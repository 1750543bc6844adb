"""A progress bar where somebody watches: on a terminal and in a notebook. Silent elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(total: int, done: int, unit: str, show: bool = True) -> Iterator[Callable[[], object]]:
    """A bar of ``total`` steps, ``done`` of them made; what it gives is called after each step.

    tqdm is imported only where there is a bar.
    """
    if not show or not is_watched():
        yield lambda: None
        return
    from tqdm import tqdm  # not tqdm.auto: text works in every notebook, widgets do not

    with tqdm(total=total, initial=done, unit=unit) as bar:
        yield bar.update


def is_watched() -> bool:
    """Whether errors and bars are printed to a terminal, or to a notebook of Jupyter or Colab."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    in_notebook = shell is not None and "IPKernelApp" in shell.config
    on_terminal = sys.stderr is not None and not sys.stderr.closed and sys.stderr.isatty()
    return in_notebook or on_terminal
