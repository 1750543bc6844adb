"""Measure everything, write docs/reference/benchmark.json and what the page shows of it.

With all cores first, as the libraries come, then with one. Nothing else should run meanwhile.
"""

import datetime
import json
import tempfile
import time
from typing import Any

from tests.benchmarks.libraries import LIBRARIES, UnavailableError
from tests.benchmarks.machine import machine, versions
from tests.benchmarks.measure import TOLERANCE, Effort, Remote, available_cores, measure
from tests.benchmarks.nets import LEARNING_RATE, NETS, problem
from tools import benchmark, benchmark_chart, front_matter


def main() -> None:
    """Every net with all cores and with one; then the page's parts, and a summary."""
    start = time.monotonic()
    effort = Effort()
    with tempfile.TemporaryDirectory() as cache:
        unavailable = find_unavailable(effort, cache)
        libraries = {name: row for name, row in LIBRARIES.items() if name not in unavailable}
        settings = [0, 1] if available_cores() > 1 else [1]
        measurements = []
        for cores in settings:
            for net in NETS:
                measurements.append(measure(net, libraries, cores, effort, cache))
                minutes = (time.monotonic() - start) / 60
                used = measurements[-1]["cores"]
                print(f"{minutes:4.1f} min: {net.title}, cores: {used}", flush=True)
    record: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "rounds": effort.rounds,
        "seconds": effort.seconds,
        "learning_rate": LEARNING_RATE,
        "tolerance": TOLERANCE,
        "titles": {name: library.title for name, library in LIBRARIES.items()},
        "unavailable": unavailable,
        "measurements": measurements,
    }
    path = benchmark.ROOT / benchmark.RECORD
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    front_matter.write(benchmark.ROOT)
    benchmark_chart.write(benchmark.ROOT)
    print(benchmark.summary(record))


def find_unavailable(effort: Effort, cache: str) -> dict[str, str]:
    """The libraries that cannot run here, each with the reason."""
    found = {}
    for name, library in LIBRARIES.items():
        with Remote(name, 1, effort.limit, cache) as remote:
            try:
                remote.ask("prepare", library, problem(NETS[0]))
            except UnavailableError as error:
                found[name] = str(error)
    return found


if __name__ == "__main__":
    main()
