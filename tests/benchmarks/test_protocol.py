"""What is timed was compared first, and a process that goes wrong ends the run with its name."""

from pathlib import Path

import pytest

from tests.benchmarks.libraries import LIBRARIES, Library, UnavailableError, rows
from tests.benchmarks.measure import BenchmarkError, Effort, Remote, measure
from tests.benchmarks.nets import MLP, NETS, TOLERANCE, problem

TINY = MLP((5, 7, 6, 3), 8)
SHORT = Effort(rounds=2, seconds=0.01, limit=120.0)


def broken(trainer: str) -> dict[str, Library]:
    return {trainer: Library(trainer, f"tests.benchmarks.broken:{trainer}")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What torch.compile writes: it spares the second test that compiles half of its time."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("name", rows(TINY, cuda=False))
def test_library_agrees_with_the_loop_by_hand_and_is_timed(name: str, cache: str) -> None:
    libraries = {"by-hand": LIBRARIES["by-hand"], name: LIBRARIES[name]}
    try:
        record = measure(TINY, libraries, 1, SHORT, cache)
    except UnavailableError as error:
        pytest.skip(str(error))
    found = record["libraries"][name]
    assert all(len(found["us"][mode]) == 2 and min(found["us"][mode]) > 0 for mode in found["us"])
    assert 0 <= found["loss_error"] <= TOLERANCE
    hidden = name == "scikit-learn"
    assert hidden if found["gradient_error"] is None else found["gradient_error"] <= TOLERANCE


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ("WrongGradient", "WrongGradient: gradient 4.bias differs from the reference's"),
        ("WrongStep", "WrongStep: updated parameter 0.weight differs from the reference's"),
        ("Crashes", "Crashes: asked to check, the process ended with exit status 3"),
        ("Raises", "Raises: asked to check, it failed:\n(.|\n)*out of luck"),
    ],
)
def test_wrong_or_crashed_library_ends_the_run_with_its_name(
    trainer: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BenchmarkError, match=message):
        measure(TINY, broken(trainer), 1, SHORT, str(tmp_path))


def test_library_that_hangs_is_ended(tmp_path: Path) -> None:
    with Remote("Hangs", 1, 20.0, str(tmp_path)) as remote:
        remote.ask("prepare", broken("Hangs")["Hangs"], problem(TINY))
        remote.limit = 0.5
        with pytest.raises(BenchmarkError, match=r"Hangs: asked to check.* within 0\.5 s"):
            remote.ask("check")
        assert remote.process.wait(5) < 0


@pytest.mark.parametrize("trainer", ["Chatty", "ViewsOfParams"])
def test_what_a_library_prints_or_keeps_is_not_taken_for_its_answer(
    trainer: str, tmp_path: Path
) -> None:
    measure(TINY, broken(trainer), 1, SHORT, str(tmp_path))


def test_library_that_is_not_installed_says_so(tmp_path: Path) -> None:
    absent = {"absent": Library("absent", "tests.benchmarks.no_such_library:Trainer")}
    with pytest.raises(UnavailableError, match="no_such_library is not installed"):
        measure(TINY, absent, 1, SHORT, str(tmp_path))


def test_titles_of_nets_are_short() -> None:
    assert [net.title for net in NETS] == [
        "64-64-10",
        "64-128-128-10",
        "784-512-512-10",
        "64-[128×20]-10",
        "1024-2048-2048-1024",
        "LeNet",
        "GPT",
    ]
