"""Text as numbers: the Python manual, one token a character, and windows to train on."""

import numpy as np

from dlref.checks import check_size


def python_manual() -> tuple[np.ndarray, np.ndarray, str]:
    """The part of the Python manual that CPython itself carries for ``help()``, as characters.

    The topics of ``help()`` overlap: in Python 3.11, a fifth of the text repeats a paragraph. Here
    each paragraph stands once, where it comes first, so that the validation part is not text that
    was trained on. What the parts still share are lines of tables and the like.

    About 0.4 million characters. The text differs from one version of Python to the next, and so
    does every number that comes of it.

    Returns:
        ``(train, validation, characters)``: token ids (N,), int64, of the first nine tenths of the
        text and of the last; and all its characters in the order of their ids, which is that of
        Unicode: ``characters[id]`` is what an id stands for. No character is left out or replaced,
        however rare, so the ids give back the text. It is the alphabet of both parts: a version
        of the manual may have a character in the validation part alone.

    Raises:
        ImportError: this Python does not carry the manual, as Pyodide, the one in a browser.

    Source: the Python Language Reference, in CPython as pydoc_data.topics, PSF License,
    https://docs.python.org/3/reference/

    >>> import numpy as np
    >>> import dlref
    >>> train, validation, characters = dlref.data.python_manual()
    >>> text = "".join(characters[i] for i in np.concatenate([train, validation]))
    >>> paragraphs = text.split("\\n\\n")
    >>> print(len(paragraphs) == len(set(paragraphs)), "statement" in text)
    True True
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise ImportError(
            "python_manual: this Python does not carry pydoc_data.topics, as Pyodide does not: "
            "run it on CPython"
        ) from error
    paragraphs = (part for text in topics.values() for part in text.split("\n\n"))
    unique: dict[str, str] = {}
    for part in paragraphs:
        if part.strip():
            unique.setdefault(part.strip(), part.strip("\n"))
    codes = np.frombuffer("\n\n".join(unique.values()).encode("utf-32-le"), "<u4")
    alphabet, ids = np.unique(codes, return_inverse=True)
    ids = ids.astype(np.int64)
    cut = len(ids) * 9 // 10
    return ids[:cut], ids[cut:], "".join(map(chr, alphabet))


def windows(
    ids: np.ndarray, length: int, stride: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a text, each with the same window one token later: inputs and targets.

    Formula:
        x[n, t] = ids[n · stride + t]
        y[n, t] = ids[n · stride + t + 1]

    Args:
        ids: token ids of shape (T,), int64.
        length: tokens in a window.
        stride: from the start of one window to that of the next; by default the length, so that
            no token is a target twice.

    Returns:
        ``(x, y)``: int64 arrays of shape (N, length), N = ⌊(T − 1 − length)/stride⌋ + 1. Both are
        views of ``ids`` that cannot be written to. Tokens after the last whole window are left out.

    Raises:
        ValueError: the ids are not one line of at least ``length`` + 1 tokens, or a size is below
            1.
        TypeError: the ids are not int64 in a NumPy array, or a size is not a whole number.

    Source: the next token as the target: Bengio et al., A neural probabilistic language model
    (2003), section 2, https://www.jmlr.org/papers/v3/bengio03a.html

    >>> import numpy as np
    >>> import dlref
    >>> x, y = dlref.data.windows(np.arange(10), length=3)
    >>> print(x, y)
    [[0 1 2]
     [3 4 5]
     [6 7 8]] [[1 2 3]
     [4 5 6]
     [7 8 9]]
    """
    length = check_size("windows: length", length)
    stride = check_size("windows: stride", length if stride is None else stride)
    if not isinstance(ids, np.ndarray) or ids.dtype != np.int64:
        got = f"{type(ids).__name__} {getattr(ids, 'dtype', '')}".strip()
        raise TypeError(f"windows: ids must be int64, got {got}: use np.asarray(ids, np.int64)")
    if ids.ndim != 1 or len(ids) <= length:
        raise ValueError(
            f"windows: ids must have shape (T,) with T > length = {length}, got {ids.shape}: "
            "use a longer text or a shorter length"
        )
    both = np.lib.stride_tricks.sliding_window_view(ids, length + 1)[::stride]
    return both[:, :-1], both[:, 1:]
