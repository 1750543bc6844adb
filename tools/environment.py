"""Make the virtual environment that a Makefile target needs, or do nothing where it stands.

`python3 tools/environment.py site` is enough to read the site, without PyTorch; `test` is for
proving it. It runs before anything is installed, so it uses the standard library only, and a
Python too old for dlref (3.6 or later) can read it far enough to say so.

State is one file in `.venv`, written last: without it, or with another one than the project asks
for, the environment is made again from nothing.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "dlref needs Python 3.11 or newer, and this is %d.%d. Name another one: "
        "make serve PYTHON=python3.13" % sys.version_info[:2]
    )

import csv
import datetime
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = VENV / "dlref.json"
INCLUDED = {"test": ["site"], "bench": ["site", "test"]}  # groups that another one includes


def main(group: str) -> None:
    """Bring the environment to where it serves this dependency group."""
    with (ROOT / ".venv.lock").open("w") as lock:  # two makes at once take turns
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint()
        groups = installed_groups(wanted)
        if group in groups:
            return
        if not groups:
            create()
        STATE.unlink(missing_ok=True)  # a killed installation leaves no state behind
        print(f"dlref: installing what `{group}` needs into .venv", flush=True)
        pip("--group", group, "--editable", ".")
        state = {
            "made for": wanted,
            "groups": sorted({*groups, group, *INCLUDED.get(group, [])}),
            "packages": packages(),
        }
        STATE.write_text(json.dumps(state))


def fingerprint() -> str:
    """What the environment depends on: if any of it changes, it is made again."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = constraints()
    parts = [
        json.dumps([project["project"], project["dependency-groups"]], sort_keys=True),
        lock.read_text() if lock else f"the newest of {datetime.date.today()}",
        os.environ.get("TORCH_INDEX", ""),
        sys.version,
        str(VENV),  # a virtual environment cannot be moved
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def constraints() -> Path | None:
    """The lock file; `LOCK=` names another, or none, for the newest releases."""
    name = os.environ.get("LOCK", "requirements.lock")
    return ROOT / name if name else None


def installed_groups(wanted: str) -> set[str]:
    """The groups already installed; none where the environment is another's, or broken."""
    try:
        state = json.loads(STATE.read_text())
    except (OSError, ValueError):
        return set()
    if state["made for"] != wanted or not PYTHON.exists() or not intact(state["packages"]):
        return set()
    return set(state["groups"])


def packages() -> list[str]:
    """What pip has installed, by name and version."""
    return sorted(path.name for path in VENV.glob("lib/python*/site-packages/*.dist-info"))


def intact(expected: list[str]) -> bool:
    """Whether every package is there, and every file of it, with the size that pip recorded."""
    if packages() != expected:
        print("dlref: .venv is broken (packages are missing or new): making it again", flush=True)
        return False
    for record in VENV.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        with record.open(newline="") as file:
            for path, _, size in csv.reader(file):
                if path.endswith(".pyc"):
                    continue
                try:
                    actual = os.stat(f"{record.parent.parent}/{path}").st_size
                except OSError:
                    actual = -1
                if actual == -1 or (size and actual != int(size)):
                    print(f"dlref: .venv is broken ({path}): making it again", flush=True)
                    return False
    return True


def create() -> None:
    """An empty virtual environment with a pip that knows dependency groups."""
    base = os.path.realpath(sys.executable)  # in an activated .venv, what its python links to
    shutil.rmtree(VENV, ignore_errors=True)
    has_pip = [base, "-c", "import ensurepip"]
    if subprocess.run(has_pip, capture_output=True, check=False).returncode:
        sys.exit("dlref needs Python's venv module. On Debian: sudo apt install python3-venv")
    print(f"dlref: making .venv with Python {sys.version.split()[0]}", flush=True)
    subprocess.run([base, "-m", "venv", str(VENV)], check=True)
    pip("--upgrade", "pip>=25.1")


def pip(*arguments: str) -> None:
    """Run pip install under the lock file."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if constraints():
        command += ["--constraint", str(constraints())]
    if os.environ.get("TORCH_INDEX"):
        command += ["--extra-index-url", os.environ["TORCH_INDEX"]]
    if subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode:
        sys.exit("dlref: the installation failed: pip says why above. Run the same make again.")


if __name__ == "__main__":
    main(sys.argv[1])
