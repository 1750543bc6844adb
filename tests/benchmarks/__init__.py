"""How fast dlref trains, beside what others would use. Run: make bench.

`nets.py` says what is trained, `libraries.py` with what; `worker.py` is the process of one library,
`measure.py` asks all of them in turn, `machine.py` says where; tools/benchmark.py judges the goals.
"""
