"""Commands to devices, judged in the order of docs/credentials.md. Each judgement is the name of why the device refuses, or None."""

import hashlib

from access_token import is_low_order
from canonical import decode
from handover import compact
from proof import is_signed_by

LEEWAY_MS = 30_000
DOOR_LIFE_MS = 60_000
FIRST_KEY_LIFE_MS = 600_000
LIFE_MS = 3_600_000
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def judge_command(case):
    """Judges a command that reached a device whose clock and locks are in order."""
    command, doors = case["command"], {door["compartment_id"]: door for door in case["doors"]}
    if command["site_id"] != case["site_id"]:
        return "SITE"
    if command["command_id"] != command_id(case["site_id"], command["request_id"]):
        return "ID"
    first, second = command["signature"], command["second_signature"]
    fault = judge_signature("petak-command", first, case)
    if fault is None and second is not None:
        fault = "SECOND_KEY" if second["key_id"] == first["key_id"] else judge_signature("petak-command-approval", second, case)
    if fault is not None:
        return fault
    is_door = command["type"] == "OPEN_FOR_SERVICE"
    if life_ms(second or first) > (DOOR_LIFE_MS if is_door else LIFE_MS):
        return "TOO_LONG_LIVED"
    compartment_id = command["compartment_id"]
    if compartment_id not in doors and (is_door or compartment_id != ""):
        return "COMPARTMENT"
    return "SECOND_KEY_NEEDED" if is_door and doors[compartment_id]["occupied"] and second is None else None


def judge_signature(typ, signature, case):
    key = next((key for key in case["keys"] if key["key_id"] == signature["key_id"]), None)
    if key is None:
        return "KEY"
    command = case["command"]
    said = {"version": 1, **{name: command[name] for name in ("site_id", "request_id", "type", "compartment_id", "reason")}}
    said |= {"issued_at_ms": signature["issued_at_ms"], "expires_at_ms": signature["expires_at_ms"]}
    text = compact({"alg": "EdDSA", "typ": typ, "kid": key["key_id"]}, said)
    signed = decode(signature["signature"])
    is_whole = signed is not None and len(signed) == 64 and not is_low_order(decode(key["public_key"]))
    if not is_whole or not is_signed_by(key["public_key"], signed, text.encode()):
        return "SIGNATURE"
    if life_ms(signature) > (FIRST_KEY_LIFE_MS if command["type"] == "OPEN_FOR_SERVICE" else LIFE_MS):
        return "TOO_LONG_LIVED"
    if signature["issued_at_ms"] > case["now_ms"] + LEEWAY_MS:
        return "NOT_YET_VALID"
    return "EXPIRED" if life_ms(signature) <= 0 or case["now_ms"] >= signature["expires_at_ms"] else None


def life_ms(signature):
    return signature["expires_at_ms"] - signature["issued_at_ms"]


def command_id(site_id, request_id):
    """`cmd_` and the first 80 bits of the hash of the texts, each after its length in 4 bytes, in base 32."""
    texts = [text.encode() for text in ("petak command", site_id, request_id)]
    digest = hashlib.sha256(b"".join(len(text).to_bytes(4, "big") + text for text in texts)).digest()
    bits = int.from_bytes(digest[:10], "big")
    return "cmd_" + "".join(ALPHABET[bits >> shift & 31] for shift in range(75, -1, -5))
