"""What a terminal decides about a credential, as docs/credentials.md says it.

For somebody who builds a terminal in another language: begin here, go on with access_token.py and pin.py. It decides and changes nothing;
spending a credential and opening a door come after it. Debian has all that it needs: python3-jwt and python3-cryptography.
"""

import hashlib

from access_token import judge_token
from pin import after_right_pin, judge_pin
from refused import Refused
from spelling import encode

MOST_REOPENINGS = 2


def decide(case):
    """Decides on the credential of a case (the rule book's "Test vectors") and gives what its `expected` has."""
    credential, before = case["credential"], case["state"]["lock_out"]
    if_refused = before
    try:
        if "token" in credential:
            proven = judge_token(credential["token"], case)
        else:
            proven, if_refused = judge_pin(credential["pin"], case)
        reopens = judge_reservation(proven, case)
    except Refused as refused:
        proven = refused.proven
        outcome = {"decision": "REFUSE", "refusal": refused.refusal, "told": told(refused.refusal)}
        lock_out = refused.lock_out or if_refused
    else:
        outcome = {"decision": "OPEN", "reopens": reopens}
        lock_out = before if "token" in credential or reopens else after_right_pin(before)
    shown = proven or {"act": "", "reservation_id": ""}
    credential_hash = encode(hashlib.sha256(shown["id"].encode()).digest()) if "id" in shown else ""
    return {
        **outcome,
        "act": shown["act"],
        "reservation_id": shown["reservation_id"],
        "credential_hash": credential_hash,
        "lock_out": lock_out,
    }


def told(refusal):
    """What the person at the door is told: nothing about a credential that does not open."""
    return {"LOCKED_OUT": "PINS_LOCKED", "NO_COMPARTMENT": "NO_PLACE_FREE"}.get(refusal, "NOT_ACCEPTED")


def judge_reservation(proven, case):
    """Whether the door opens once more (True) or for the first time (False). Raises Refused."""
    state, act, reservation = case["state"], proven["act"], proven["reservation_id"]
    for visit in state["visits"]:
        is_open_to_it = visit["credential_id"] == proven["id"] and visit["phase"] != "OPEN"
        if is_open_to_it and visit["reopenings"] < MOST_REOPENINGS and case["now_ms"] < visit["grace_until_ms"]:
            return True
    if proven["id"] in state["spent"]:
        raise Refused("SPENT", proven)
    if reservation in state["over"]:
        raise Refused("RESERVATION_STATE", proven)
    if any(visit["reservation_id"] == reservation for visit in state["visits"]):
        raise Refused("IN_USE", proven)
    if act not in ("DEPOSIT", "COLLECT"):
        raise Refused("ACT_NOT_SERVED", proven)
    if act == "DEPOSIT" and reservation in state["inside"]:
        raise Refused("ALREADY_DEPOSITED", proven)
    if act == "DEPOSIT" and proven["size_class"] not in state["free_size_classes"]:
        raise Refused("NO_COMPARTMENT", proven)
    if act == "COLLECT" and reservation not in state["inside"]:
        raise Refused("NOT_DEPOSITED", proven)
    return False
