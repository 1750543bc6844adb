"""The environment is made when it must be, left alone when it stands, and its errors help."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import environment

SCRIPT = Path(environment.__file__)


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment in which one package of one file stands, whole."""
    for name in ("LOCK", "TORCH_INDEX"):  # the run itself has one where it is test-newest
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / ".venv"
    info = folder / "lib" / "python3.11" / "site-packages" / "thing-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "thing.py").write_text("x = 1\n")
    (info / "RECORD").write_text("thing.py,,6\nthing-1.0.dist-info/RECORD,,\nthing.pyc,,99\n")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text("")
    monkeypatch.setattr(environment, "VENV", folder)
    monkeypatch.setattr(environment, "PYTHON", folder / "bin" / "python")
    monkeypatch.setattr(environment, "STATE", folder / "dlref.json")
    state = {"made for": environment.fingerprint(), "groups": ["site"]}
    state["packages"] = environment.packages()
    environment.STATE.write_text(json.dumps(state))
    return folder


def installed(venv: Path) -> set[str]:
    return environment.installed_groups(environment.fingerprint())


def test_whole_environment_is_left_alone(venv: Path) -> None:
    assert installed(venv) == {"site"}


def test_environment_without_its_state_is_made_again(venv: Path) -> None:
    environment.STATE.unlink()
    assert installed(venv) == set()


def test_half_written_state_is_made_again(venv: Path) -> None:
    environment.STATE.write_text('{"made')
    assert installed(venv) == set()


@pytest.mark.parametrize("text", [None, "", "x = 1"])
def test_missing_or_truncated_file_is_found(venv: Path, text: str | None) -> None:
    thing = next(venv.rglob("thing.py"))
    thing.unlink()
    if text is not None:
        thing.write_text(text)
    assert installed(venv) == set()


def test_missing_package_is_found(venv: Path) -> None:
    shutil.rmtree(next(venv.rglob("*.dist-info")))
    assert installed(venv) == set()


def test_missing_interpreter_is_found(venv: Path) -> None:
    (venv / "bin" / "python").unlink()
    assert installed(venv) == set()


@pytest.mark.parametrize(("name", "value"), [("LOCK", ""), ("TORCH_INDEX", "elsewhere")])
def test_another_lock_or_index_makes_another_environment(
    venv: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert installed(venv) == set()


def test_groups_said_to_include_others_do() -> None:
    groups = tomllib.loads((environment.ROOT / "pyproject.toml").read_text())["dependency-groups"]

    def included(group: str) -> set[str]:
        direct = {item["include-group"] for item in groups[group] if isinstance(item, dict)}
        return direct.union(*map(included, direct))

    for group, others in environment.INCLUDED.items():
        assert included(group) & {"site", "test"} == set(others)


def test_old_python_is_told_which_one_is_needed() -> None:
    code = f"import sys; sys.version_info = (3, 9, 6); exec(open({str(SCRIPT)!r}).read())"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "needs Python 3.11 or newer, and this is 3.9" in result.stderr
    assert "make serve PYTHON=" in result.stderr


def test_python_without_venv_is_told_what_to_install(
    venv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")  # as on Debian without it
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        environment.create()


def test_environment_can_be_made_again_by_its_own_python(tmp_path: Path) -> None:
    """As where somebody has activated it, and the lock file has changed."""
    folder = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    code = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(environment.ROOT)!r})
from tools import environment
environment.VENV = Path({str(folder)!r})
environment.pip = lambda *arguments: None
environment.create()
"""
    subprocess.run([str(python), "-c", code], check=True)
    answer = subprocess.run([str(python), "-c", "print(6 * 7)"], capture_output=True, check=True)
    assert answer.stdout == b"42\n"
