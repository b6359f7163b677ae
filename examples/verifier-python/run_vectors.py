"""Runs the test vectors of docs/vectors, or of the named files, through the verifiers. Exits with 1 at a difference.

    python3 examples/verifier-python/run_vectors.py [file …]
"""

import json
import sys
from pathlib import Path

from certificate import judge_certificate
from command import judge_command
from handover import find_list, judge_handover
from proof import judge_call, judge_possession
from verifier import decide
from verify_chain import verify_chain

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "vectors"


def judge_chain(vector):
    """The distinct faults of a chain, sorted, and the time as of which the issuer states it."""
    faults, statement = verify_chain(vector["chain"], vector["issuer_keys"], vector.get("continued"))
    return in_order(faults), statement and statement["as_of_ms"]


def in_order(faults):
    return sorted(set(faults), key=lambda fault: (fault[0], fault[1] or 0))


def outcome(form, vector):
    """The actual and the expected result of a vector."""
    if form == "petak-receipt-vectors-1":
        return judge_chain(vector), (in_order([(fault["code"], fault["link"]) for fault in vector["expected"]]), vector["as_of_ms"])
    if form == "petak-proof-vectors-1":
        return {"fault": judge_call(vector)}, vector["expected"]
    if form == "petak-possession-vectors-1":
        return {"fault": judge_possession(vector)}, vector["expected"]
    if form == "petak-certificate-vectors-1":
        return {"fault": judge_certificate(vector)}, vector["expected"]
    if form == "petak-command-vectors-1":
        return {"fault": judge_command(vector)}, vector["expected"]
    if form == "petak-handover-vectors-1":
        return {"fault": judge_handover(vector)}, vector["expected"]
    if form == "petak-handover-code-vectors-1":
        return find_list(vector["code"], vector["parcels"]), vector["expected"]
    return decide(vector), vector["expected"]


def main(names):
    paths = [Path(name) for name in names] or sorted(FOLDER.rglob("*.json"))
    files = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    vectors = [(file.get("format"), vector) for file in files for vector in file["vectors"]]
    wrong = 0
    for form, vector in vectors:
        got, expected = outcome(form, vector)
        if got != expected:
            wrong += 1
            print(f"{vector['id']}: {vector['shows']}\n  expected {expected}\n  got      {got}", file=sys.stderr)
    print(f"{len(vectors)} vectors, {wrong} differ")
    return 1 if wrong or not vectors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
