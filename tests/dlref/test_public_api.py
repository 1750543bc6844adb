"""What a reader finds: every public name is documented, and each example runs."""

import doctest
import inspect

import numpy as np
import pytest

import dlref

NAMES = [name for name in dlref.__all__ if name != "data"]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name: str) -> None:
    found = getattr(dlref, name)
    assert found.__doc__
    tests = doctest.DocTestFinder().find(found, name)
    assert any(test.examples for test in tests), f"{name} has no example that runs"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_callable_has_type_hints(name: str) -> None:
    found = getattr(dlref, name)
    function = found.__init__ if inspect.isclass(found) else found
    if function is object.__init__:
        return  # takes nothing
    for parameter in list(inspect.signature(found).parameters.values()):
        assert parameter.annotation is not parameter.empty, parameter.name


def test_all_public_names_exist_once() -> None:
    assert len(set(dlref.__all__)) == len(dlref.__all__)
    for name in dlref.__all__:
        assert hasattr(dlref, name)


def test_digits_has_an_example() -> None:
    [test] = doctest.DocTestFinder().find(dlref.data.digits, "digits", globs={})
    assert test.examples


def test_layers_print_as_they_are_made() -> None:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(dlref.Linear(4, 3, rng), dlref.Tanh(), dlref.Sigmoid(), dlref.ReLU())
    assert repr(net) == "Sequential(Linear(4, 3), Tanh(), Sigmoid(), ReLU())"


def test_the_base_layer_leaves_both_passes_to_its_subclasses() -> None:
    layer = dlref.Layer()
    assert dict(layer.params) == {}
    with pytest.raises(NotImplementedError):
        layer.forward(np.ones(3))
    with pytest.raises(NotImplementedError):
        layer.backward(np.ones(3), None)
