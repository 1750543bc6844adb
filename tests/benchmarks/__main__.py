"""Measure everything, write docs/reference/benchmark.json and what the page shows of it.

With all cores first, as the libraries come, then with one; then on a GPU, where there is one.
Nothing else should run meanwhile.
"""

import datetime
import json
import tempfile
import time
from typing import Any

from tests.benchmarks.libraries import LIBRARIES, UnavailableError, rows
from tests.benchmarks.machine import machine, versions
from tests.benchmarks.measure import Effort, Remote, available_cores, measure
from tests.benchmarks.nets import CUDA_NETS, LEARNING_RATE, NETS, TOLERANCE, Net, problem
from tools import benchmark, benchmark_chart, front_matter


def main() -> None:
    """Every net with all cores and with one, and on a GPU; then the page's parts, a summary."""
    effort = Effort()
    with tempfile.TemporaryDirectory() as cache:
        record: dict[str, Any] = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine(),
            "versions": versions(),
            "rounds": effort.rounds,
            "seconds": effort.seconds,
            "learning_rate": LEARNING_RATE,
            "tolerance": TOLERANCE,
            "titles": {name: library.title for name, library in LIBRARIES.items()},
            "unavailable": find_unavailable(effort, cache),
        }
        record |= measure_all(record["unavailable"], effort, cache)
    path = benchmark.ROOT / benchmark.RECORD
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    front_matter.write(benchmark.ROOT)
    benchmark_chart.write(benchmark.ROOT)
    print(benchmark.summary(record))


def measure_all(unavailable: dict[str, str], effort: Effort, cache: str) -> dict[str, Any]:
    """The measurements of all nets on the CPU, those on a GPU, and its rate of products."""
    start = time.monotonic()

    def measured(net: Net, cores: int, *, cuda: bool) -> dict[str, Any]:
        found = {k: row for k, row in rows(net, cuda=cuda).items() if k not in unavailable}
        measurement = measure(net, found, cores, effort, cache)
        where = "GPU" if cuda else f"cores: {measurement['cores']}"
        print(f"{(time.monotonic() - start) / 60:4.1f} min: {net.title}, {where}", flush=True)
        return measurement

    settings = [0, 1] if available_cores() > 1 else [1]
    result: dict[str, Any] = {
        "measurements": [measured(net, cores, cuda=False) for cores in settings for net in NETS]
    }
    if "torch-nn-cuda" not in unavailable:
        with Remote("product_rate", 0, effort.limit, cache) as remote:
            result["product_rate"] = remote.ask("product_rate")
        result["cuda"] = [measured(net, 0, cuda=True) for net in CUDA_NETS]
    return result


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
