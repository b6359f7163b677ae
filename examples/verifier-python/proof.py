"""Proofs of calls and of possession of a key, judged in the order of docs/credentials.md. Each judgement is the name of what is wrong, or None."""

import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from canonical import decode, encode

LEEWAY_MS = 30_000
LIFE_MS = 60_000


def judge_call(case):
    """Judges the proof of one call."""
    fault, header, claims, signature, signed = read(case["proof"], "dpop+jwt", 4096)
    if fault is not None:
        return fault
    iat = claims.get("iat")
    issued_ms = iat * 1000 if type(iat) is int else None
    htu = claims.get("htu")
    checks = (
        ("kid", header.get("kid") == case["key_id"]),
        ("jti", type(claims.get("jti")) is str and re.fullmatch("[A-Za-z0-9_-]{16,64}", claims["jti"]) is not None),
        ("htm", claims.get("htm") == "POST"),
        ("htu", type(htu) is str and re.fullmatch(r"https?://[^/?#\s]+/[^?#\s]*", htu) is not None and htu.endswith(case["path"])),
        ("iat", issued_ms is not None and issued_ms - LEEWAY_MS <= case["now_ms"] < issued_ms + LIFE_MS),
        ("ath", claims.get("ath") == sha256(case["request_token"].encode())),
        ("request_id", claims.get("request_id") == case["request_id"]),
        ("message_sha256", claims.get("message_sha256") == sha256(decode(case["message"]))),
    )
    for name, is_right in checks:
        if not is_right:
            return name
    if not is_signed_by(case["public_key"], signature, signed):
        return "signature"
    return "replayed" if claims["jti"] in case["used"] else None


def judge_possession(case):
    """Judges the proof that somebody has the private half of a key that is to be registered."""
    fault, _, claims, signature, signed = read(case["possession_proof"], "petak-key-possession+jwt", 2048)
    if fault is not None:
        return fault
    names = {"aud": "audience", "sub": "participant_id", "mode": "mode", "site_id": "site_id", "request_id": "request_id"}
    for claim, member in names.items():
        if claims.get(claim) != case[member]:
            return claim
    return None if is_signed_by(case["public_key"], signature, signed) else "signature"


def read(text, token_type, longest):
    """What is wrong with the form of a compact JWS or None, and its header, claims, signature and signed bytes."""
    parts = text.split(".")
    header, claims = (parse_object(part) for part in parts[:2]) if len(parts) == 3 else (None, None)
    signature = decode(parts[2]) if len(parts) == 3 else None
    fault = None
    if len(text) > longest or header is None or claims is None or signature is None:
        fault = "form"
    elif header.get("alg") != "EdDSA":
        fault = "alg"
    elif header.get("typ") != token_type:
        fault = "typ"
    elif "crit" in header:
        fault = "crit"
    return fault, header, claims, signature, ".".join(parts[:2]).encode()


def parse_object(part):
    try:
        value = json.loads((decode(part) or b"").decode())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def is_signed_by(public_key, signature, signed):
    try:
        Ed25519PublicKey.from_public_bytes(decode(public_key)).verify(signature, signed)
        return True
    except InvalidSignature:
        return False


def sha256(data):
    return encode(hashlib.sha256(data).digest())
