"""Exact top k by faiss: `python -m benchmarks.stream_costs.faiss.job FOLDER`.

The index adds up all products of so many users and items at once as a matrix product, and keeps the
best of each user; nothing is approximate.
"""

import argparse
import json
from pathlib import Path

import faiss
import numpy as np

from benchmarks.stream_costs.rounds import ITEMS_NAME, USERS_NAME, answer, arguments_of_a_job


def main() -> None:
    """Answer for the vectors in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments_of_a_job(parser)
    arguments = parser.parse_args()
    items, users = (np.load(arguments.folder / name) for name in (ITEMS_NAME, USERS_NAME))
    faiss.omp_set_num_threads(arguments.threads)
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)

    def search(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        scores, found = index.search(users[rows], arguments.k)
        return found, scores

    print(json.dumps(answer(search, len(users), arguments)))


if __name__ == "__main__":
    main()
