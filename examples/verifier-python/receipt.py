"""Receipts and the two other statements that they contain, byte for byte as defined in docs/custody.md."""

import hashlib
import json
import re
from datetime import datetime, timezone

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from access_token import LOW_ORDER
from canonical import decode, encode, parse

# The acts: event, state before (None: any) and after (None: unchanged), giver and receiver.
HAND_OVERS = {
    "RESERVED": ("RESERVATION_CONFIRMED", None, "CONFIRMED", None),
    "DEPOSITED": ("PARCEL_DEPOSITED", None, "DEPOSITED", ("depositor", "operator")),
    "COLLECTED": ("PARCEL_COLLECTED", None, "COLLECTED", ("operator", "collector")),
    "RECALLED": ("PARCEL_RECALLED", None, "RECALLED", ("operator", "depositor")),
    "NO_PARCEL": ("RESERVATION_NO_SHOW", "IN_DOUBT", "NO_SHOW", None),
    "COUNTERSIGNED": ("RECEIPT_COUNTERSIGNED", None, None, None),
}

PARTY = {"kind": str, "participant_id": str}
PROOF = {
    "kind": str,
    "credential_hash": str,
    "parent_credential_hash": str,
    "compartment_id": str,
    "offline": bool,
    "agent_key_id": str,
    "device_sequence": int,
}
REPORT = {"act": str, "delegated": bool, "bundle_id": str, "device_event_id": str, "public_key": str, "signature": str}
LATER_OF_REPORT = ("previous", "checks", "cash")  # They came later, and each is there only if set.
COUNTERSIGNATURE = {"number": int, "receipt": str, "key_id": str, "public_key": str, "signature": str}
CLAIMS = {
    "version": int,
    "number": int,
    "previous": str,
    "continues": str,
    "act": str,
    "given_by": PARTY,
    "received_by": PARTY,
    "event_id": str,
    "schema_version": int,
    "occurred_at_ms": int,
    "recorded_at_ms": int,
    "actor": PARTY,
    "reservation_id": str,
    "revision": int,
    "state_before": str,
    "state_after": str,
    "purpose": str,
    "site_id": str,
    "operator_id": str,
    "participant_id": str,
    "partner_reference": str,
    "is_test": bool,
    "bundle_id": str,
    "proof": PROOF,
    "report": REPORT,
    "countersignature": COUNTERSIGNATURE,
}


# The statements that an issuer signs: type, claims, and the claim with the time of the signature.
RECEIPT = ("petak-receipt", CLAIMS, "recorded_at_ms")


def read_believed(jws, kind, number, issuer_keys, faults):
    """The claims of an issuer's statement, or None if they cannot be trusted. `number` is that of the link that faults name, or None."""
    read = read_signed(jws, kind)
    if read is None:
        faults.append(("MALFORMED", number))
        return None
    key_id, claims = read
    fault = signing_fault(jws, key_id, claims[kind[2]], issuer_keys)
    if fault is not None:
        faults.append((fault, number))
    return claims if fault in (None, "ISSUER_TIME") else None


def read_signed(jws, kind):
    """Key id and claims of an issuer's statement, or None if it is not in canonical form. Nothing is verified yet."""
    typ, form, _time = kind
    segments = jws.split(".")
    if len(segments) != 3:
        return None
    header_bytes, claims_bytes, signature = (decode(segment) for segment in segments)
    try:
        header, claims = parse(header_bytes.decode()), parse(claims_bytes.decode())
    except (AttributeError, UnicodeDecodeError):
        return None
    if not isinstance(header, dict) or list(header) != ["alg", "typ", "kid"] or signature is None or len(signature) != 64:
        return None
    key_id = header["kid"]
    is_of_type = header["alg"] == "EdDSA" and header["typ"] == typ and isinstance(key_id, str) and len(key_id) == 4
    if not is_of_type or not is_of(claims, form) or claims["version"] != 1:
        return None
    return key_id, claims


def signing_fault(jws, key_id, at_ms, issuer_keys):
    """The fault of an issuer's signature, or None. After the first two kinds of faults nothing is trusted; after ISSUER_TIME the rest is."""
    candidates = [key for key in issuer_keys["keys"] if key["kid"] == key_id]
    if not candidates:
        return "ISSUER_UNKNOWN"
    key = next((key for key in candidates if is_signed(jws, decode(key["x"]))), None)
    if key is None:
        return "SIGNATURE"
    begins_late = "signs_from" in key and at_ms < time_ms(key["signs_from"])
    if begins_late or ("signs_until" in key and at_ms >= time_ms(key["signs_until"])):
        return "ISSUER_TIME"
    return None


def is_of(value, form):
    """Whether a value is an object with exactly these members, in order and of these types; a nested object may be null."""
    if form is PROOF and isinstance(value, dict):
        # They came later, and are there only if set.
        form = PROOF | {name: str for name in ("presence", "clerk_id", "handover", "courier_public_key") if name in value}
    if form is REPORT and isinstance(value, dict):
        form = REPORT | {name: str for name in LATER_OF_REPORT if name in value}
    if not isinstance(value, dict) or list(value) != list(form):
        return False
    for name, wanted in form.items():
        member = value[name]
        if isinstance(wanted, dict):
            if member is not None and not is_of(member, wanted):
                return False
        elif type(member) is not wanted or (wanted is int and not 0 <= member < 2**53):
            return False
    return True


def hash_of(jws):
    return encode(hashlib.sha256(jws.encode()).digest())


def is_signed(jws, public_key):
    """Whether a compact JWS is signed by a key of 32 bytes that is not of low order."""
    if public_key is None or len(public_key) != 32 or public_key[:31] + bytes([public_key[31] & 0x7F]) in LOW_ORDER:
        return False
    try:
        jwt.PyJWS().decode(jws, Ed25519PublicKey.from_public_bytes(public_key), algorithms=["EdDSA"])
        return True
    except (jwt.InvalidTokenError, ValueError):
        return False


def signed_statement(typ, key_id, claims, signature):
    """The signing input of a statement of which only the signature was sent."""
    header = {"alg": "EdDSA", "typ": typ, "kid": key_id}
    parts = (json.dumps(part, separators=(",", ":"), ensure_ascii=False).encode() for part in (header, claims))
    return ".".join([*(encode(part) for part in parts), signature])


def report_jws(claims):
    """The statement that the site's agent signed, from the content of the receipt."""
    proof, report = claims["proof"] or {}, claims["report"]
    said = {
        "version": 1,
        "site_id": claims["site_id"],
        "sequence": proof.get("device_sequence", 0),
        "device_event_id": report["device_event_id"],
        "type": HAND_OVERS.get(claims["act"], ("UNSPECIFIED",))[0],
        "occurred_at_ms": claims["occurred_at_ms"],
        "offline": proof.get("offline", False),
        "reservation_id": claims["reservation_id"],
        "compartment_id": proof.get("compartment_id", ""),
        "proof_kind": proof.get("kind", ""),
        "credential_hash": proof.get("credential_hash", ""),
        "refusal": "",
        "act": report["act"],
        "delegated": report["delegated"],
        "bundle_id": report["bundle_id"],
    }
    if "presence" in proof:
        said["presence"] = proof["presence"]
    for name in LATER_OF_REPORT:
        if name in report:
            said[name] = report[name]
    if "clerk_id" in proof:
        said["clerk_id"] = proof["clerk_id"]
    if "handover" in proof:
        said["handover"] = proof["handover"]
    return signed_statement("petak-report", proof.get("agent_key_id", ""), said, report["signature"])


def countersignature_jws(claims):
    """The statement that the other party signed."""
    countersignature = claims["countersignature"]
    said = {"version": 1, "receipt": countersignature["receipt"], "participant_id": (claims["actor"] or {}).get("participant_id", "")}
    return signed_statement("petak-countersignature", countersignature["key_id"], said, countersignature["signature"])


def time_ms(text):
    """Milliseconds of a time in the protocol's JSON, e.g. 2026-11-24T12:00:00.120Z."""
    moment = datetime.strptime(re.sub(r"(\.\d+)?Z$", "", text), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    fraction = re.search(r"\.(\d+)Z$", text)
    return int(moment.timestamp()) * 1000 + (int(fraction.group(1).ljust(3, "0")[:3]) if fraction else 0)
