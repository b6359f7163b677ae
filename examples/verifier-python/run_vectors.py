"""Runs the test vectors of docs/vectors, or of the files that are named, through the verifier. Exits with 1 at a difference.

    python3 examples/verifier-python/run_vectors.py [file …]
"""

import json
import sys
from pathlib import Path

from verifier import decide

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "vectors"


def main(names):
    paths = [Path(name) for name in names] or sorted(FOLDER.glob("*.json"))
    vectors = [vector for path in paths for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]]
    wrong = 0
    for vector in vectors:
        got = decide(vector)
        if got != vector["expected"]:
            wrong += 1
            print(f"{vector['id']}: {vector['shows']}\n  expected {vector['expected']}\n  got      {got}", file=sys.stderr)
    print(f"{len(vectors)} vectors, {wrong} differ")
    return 1 if wrong or not vectors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
