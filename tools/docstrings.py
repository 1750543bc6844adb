"""A docstring of dlref as Markdown: signature, description, formula, parts, example, methods.

A docstring has, in this order: what it is, a `Formula:` (see formulas.py), `Args:`, `Returns:` and
`Raises:` in Google's style, a paragraph `Source: ...`, and an example. The lines of the example
are a script too, so that the page shows them as a block that runs.
"""

import re
from dataclasses import dataclass, field
from doctest import DocTestParser
from itertools import groupby
from textwrap import indent
from typing import Any

from griffe import Alias, Class, Function, Object

from tools.formulas import to_latex

Item = Class | Function
Links = dict[str, str]  # public name → where it is explained
LABELS = {"parameters": "Arguments", "returns": "Returns", "raises": "Raises"}


@dataclass
class Docstring:
    """The sections of a docstring; what is not there is empty."""

    prose: str = ""
    formula: str = ""
    source: str = ""
    parts: dict[str, Any] = field(default_factory=dict)  # label: what griffe found
    code: str = ""
    output: str = ""

    @property
    def summary(self) -> str:
        """The first paragraph, in one line."""
        return " ".join(self.prose.partition("\n\n")[0].split())


def read(item: Object | Alias) -> Docstring:
    """The sections of an object's docstring.

    Raises:
        ValueError: it has a section of another kind.
    """
    found, texts = Docstring(), []
    for section in item.docstring.parsed if item.docstring else []:
        kind, value = section.kind.value, section.value
        if kind == "text":
            text, prompt, example = value.partition(">>> ")
            if prompt:
                found.code, found.output = _script(prompt + example)
            before, _, source = text.partition("Source: ")
            found.source += " ".join(source.split())
            texts.append(before.strip())
        elif kind == "admonition" and value.kind == "formula":
            found.formula = value.description
        elif kind in LABELS:
            found.parts[LABELS[kind]] = value
        else:
            raise ValueError(
                f"{item.path}: the docstring has a section of kind {kind!r}: remove it"
            )
    found.prose = "\n\n".join(filter(None, texts))
    return found


def methods(item: Object | Alias) -> dict[str, Function]:
    """The public functions that a class or module itself has, in the order of the source."""
    return {
        name: member
        for name, member in item.members.items()
        if isinstance(member, Function) and not name.startswith("_")
    }


def base_method(item: Item) -> str:
    """The method of a base class that a method replaces, as `Layer.forward`, or nothing."""
    owner = item.parent
    bases = owner.mro() if isinstance(owner, Class) else []
    return next((f"{base.name}.{item.name}" for base in bases if item.name in base.members), "")


def markdown(name: str, item: Item, links: Links, glossary: str = "") -> str:
    """All that the reference says of a public name, its methods after it.

    Args:
        name: as a reader writes it after `dlref.`.
        item: what griffe knows of it.
        links: where each public name is explained.
        glossary: the line of the glossary on it, where there is one.
    """
    doc = read(item)
    is_method = item.parent is not None and item.parent.is_class
    own = methods(item) if item.is_class else {}
    parts = {
        label: [prose(_named(label, part, item) + part.description, links) for part in value]
        for label, value in doc.parts.items()
    }
    if overridden := base_method(item) if not doc.parts else "":
        parts |= {"Otherwise": [f"as [`{overridden}`]({links[overridden]})."]}
    parts |= {"Methods": [_method_links(name, item, links)] if own else []}
    parts |= {"Source": [_with_links(doc.source)] if doc.source else []}
    parts |= {"Glossary": [glossary] if glossary else []}
    blocks = [
        f"{'###' if is_method else '##'} {name} {{: #{name} }}",
        _signature(name, item, links),
        prose(doc.prose, {key: link for key, link in links.items() if key != name}),
        f"$$\n{to_latex(doc.formula)}\n$$" if doc.formula else "",
        "\n\n".join(definitions(label, texts) for label, texts in parts.items() if texts),
        _block(doc) if doc.code else "",
        *(markdown(f"{name}.{method}", own[method], links) for method in own),
    ]
    return "\n\n".join(filter(None, blocks))


def definitions(label: str, texts: list[str]) -> str:
    """A term of a definition list, with a definition for each text."""
    return "\n".join([label, *(f":   {indent(text, '    ').lstrip()}" for text in texts)])


def _named(label: str, part: Any, item: Item) -> str:
    """What stands before a part's description: the argument, the exception, or nothing."""
    if label == "Returns":  # griffe takes what is before a colon for a type
        type_or_text = str(part.annotation)
        return "" if type_or_text == _returned(item) else f"{type_or_text}: "
    return f"``{part.name if label == 'Arguments' else part.annotation}``: "


def _method_links(name: str, item: Item, links: Links) -> str:
    """The methods of a class, and those that it has from its base."""
    own = [f"[`{method}`](#{name}.{method})" for method in methods(item)]
    inherited = {
        key.rpartition(".")[2]: key
        for member in item.inherited_members.values()
        if (key := ".".join(member.target_path.split(".")[-2:])) in links
    }
    base = [f"[`{method}`]({links[key]})" for method, key in inherited.items()]
    return ", ".join(own) + (f"; from its base {', '.join(base)}" if base else "")


def _signature(name: str, item: Item, links: Links) -> str:
    """The call with its types, each argument in an element that breaks as a whole."""
    arguments: list[str] = []
    for parameter in item.parameters:
        kind = parameter.kind.value if parameter.kind else ""
        if kind == "keyword-only" and not any("*" in text for text in arguments):
            arguments.append(r"\*")
        default = f" = {_literal(str(parameter.default))}" if parameter.default else ""
        stars = {"variadic positional": r"\*", "variadic keyword": r"\*\*"}.get(kind, "")
        if stars:
            default = ""
        if parameter.name not in ("self", "cls"):
            types = _types(str(parameter.annotation), links)
            arguments.append(f"{stars}<b>{parameter.name}</b>: {types}{default}")
    spans = ", ".join(f"<span>{text}</span>" for text in arguments)
    returned = _types(_returned(item), links)
    returns = f" <span>→ {returned}</span>" if returned else ""
    path, _, last = f"dlref.{name}".rpartition(".")
    code = f"<i>{path}.</i><strong>{last}</strong>({spans}){returns}"
    return f'<p class="signature" data-search-exclude="true" markdown><code>{code}</code></p>'


def _returned(item: Item) -> str:
    """The type of what a call gives; for a class, that is the class."""
    return str(item.returns) if isinstance(item, Function) else ""


def _types(text: str, links: Links) -> str:
    """A type with its names linked. Brackets are escaped, or Markdown would take them for links."""
    escaped = _literal(text)
    return re.sub(r"\w+", lambda m: f"[{m[0]}]({links[m[0]]})" if m[0] in links else m[0], escaped)


def _literal(text: str) -> str:
    """Code without the marks that Markdown and its quotation marks would change."""
    return re.sub(r"([\[\]*_'\"])", r"\\\1", text.replace("'", '"'))


def prose(text: str, links: Links) -> str:
    """A docstring's text: double backticks become code, linked where it is a public name."""

    def code(match: re.Match[str]) -> str:
        return f"[`{match[1]}`]({links[match[1]]})" if match[1] in links else f"`{match[1]}`"

    return re.sub("``(.+?)``", code, text, flags=re.DOTALL)


def _with_links(text: str) -> str:
    """A source with its addresses as links that show no more than the host and the path."""
    return re.sub(
        r"https?://(\S+?)/?(?=[,.;]?(?:\s|$))",
        lambda match: f"[{match[1]}]({match[0]})",
        text,
    )


def _script(doctest: str) -> tuple[str, str]:
    """The lines of a doctest, the imports apart, and all that it prints."""
    examples = DocTestParser().get_examples(doctest)
    groups = groupby(examples, lambda example: example.source.startswith("import "))
    parts = ["".join(_statement(example.source) for example in group) for _, group in groups]
    return "\n".join(parts), "".join(example.want for example in examples)


def _statement(source: str) -> str:
    """A statement; one that ends indented, as a class does, has an empty line after it."""
    return f"{source}\n" if source.split("\n")[-2].startswith(" ") else source


def _block(doc: Docstring) -> str:
    return (
        f"```python\n{doc.code}```\n\n"
        f"<!-- pytest-codeblocks:expected-output -->\n\n```text\n{doc.output}```"
    )
