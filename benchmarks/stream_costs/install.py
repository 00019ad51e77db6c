"""Install faiss, in a folder of its own: `python -m benchmarks.stream_costs.install`."""

from benchmarks.accuracy.install import install
from benchmarks.stream_costs.products import FAISS

if __name__ == "__main__":
    install(FAISS)
    print("faiss is ready.")
