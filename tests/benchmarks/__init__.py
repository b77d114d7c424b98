"""How fast it is beside its peers: paired ratios, printed as tables; no test fails for being slow.

    pytest -m benchmark -s tests/benchmarks

Peers are installed into ``var/benchmarks/venvs`` on first use. Their playbooks are read from the folder that
BENCHMARK_PEERS names, or ``../shared/benchmarks``; what is missing is left out, and said. BENCHMARK_ROUNDS changes how
many rounds are taken (5).
"""
