"""PINs and the lock-out that all PINs of a site share, as defined in docs/credentials.md."""

import hmac
import re

from refused import Refused
from canonical import decode, encode

FREE_FAILURES = 5
FIRST_LOCK_OUT_MS = 30_000
LONGEST_LOCK_OUT_MS = 900_000
FORGOTTEN_AFTER_MS = 3_600_000


def judge_pin(pin, case):
    """What a PIN proves, and the lock-out that applies if no door opens after all. Raises Refused."""
    lock_out, now_ms = case["state"]["lock_out"], case["now_ms"]
    if re.fullmatch("[0-9]{8}", pin) is None:
        raise Refused("PIN_MALFORMED")
    if now_ms < lock_out["locked_until_ms"]:
        raise Refused("LOCKED_OUT")
    if case["pin_key"] is None:
        raise Refused("NOT_BOOTED")
    counted = after_wrong_pin(lock_out, now_ms)
    pin_hash = hmac.digest(decode(case["pin_key"]), pin.encode(), "sha256")
    found = None
    for known in case["state"]["pins"]:  # All of them, whichever it is: the time taken tells nothing.
        if hmac.compare_digest(decode(known["hash"]), pin_hash):
            found = known
    if found is None:
        raise Refused("PIN_UNKNOWN", lock_out=counted)
    subject = {"reservation_id": found.get("reservation_id", ""), "bundle_id": found.get("bundle_id", "")}
    proven = {"act": "COLLECT", **subject, "delegated": False, "id": encode(pin_hash)}
    if now_ms < found["not_before_ms"] - case["max_skew_ms"]:
        raise Refused("PIN_NOT_YET_VALID", proven, counted)
    if now_ms >= found["expires_at_ms"] + (case["max_skew_ms"] if case["clock_trusted"] else 0):
        raise Refused("PIN_EXPIRED", proven, counted)
    return proven, counted


def after_wrong_pin(lock_out, now_ms):
    """Counts one more wrong PIN. Every PIN that does not open counts, even the right one at the wrong time."""
    is_forgotten = now_ms >= lock_out["last_failure_ms"] + FORGOTTEN_AFTER_MS
    failures = (0 if is_forgotten else lock_out["failures"]) + 1
    excess = failures - FREE_FAILURES
    locked_ms = 0 if excess < 0 else min(LONGEST_LOCK_OUT_MS, FIRST_LOCK_OUT_MS * 2**excess)
    return {"failures": failures, "last_failure_ms": now_ms, "locked_until_ms": now_ms + locked_ms}


def after_right_pin(lock_out):
    """A right PIN reduces the count of wrong ones by one."""
    if lock_out["failures"] <= 1:
        return {"failures": 0, "last_failure_ms": 0, "locked_until_ms": 0}
    return {**lock_out, "failures": lock_out["failures"] - 1}
