"""Certificates and revocations of keys by a root key, judged in the order of docs/credentials.md."""

import hashlib

from access_token import is_low_order, is_text
from canonical import decode, encode, parse
from proof import is_signed_by

LONGEST = 1024
LONGEST_LIFE_S = 400 * 86_400
SKEW_S = 300
LATEST_S = 9_999_999_999
MEMBERS = {
    "issuer": ["iss", "kind", "kid", "x", "nbf", "exp", "ser"],
    "participant": ["iss", "kind", "sub", "kid", "x", "nbf", "exp", "ser"],
}


def judge_certificate(case):
    """What is wrong with a certificate or a revocation, or None."""
    parts = case["statement"].split(".")
    if len(case["statement"]) > LONGEST or len(parts) != 3:
        return "form"
    header, claims = (parse_object(part) for part in parts[:2])
    signature = decode(parts[2])
    if header is None or claims is None or signature is None or len(signature) != 64:
        return "form"
    if header.get("alg") != "EdDSA":
        return "alg"
    if header.get("typ") != f"petak-{case['type']}":
        return "typ"
    if list(header) != ["alg", "typ"]:
        return "form"
    if claims.get("iss") != thumbprint(case["root_key"]):
        return "iss"
    if is_low_order(decode(case["root_key"])) or not is_signed_by(case["root_key"], signature, ".".join(parts[:2]).encode()):
        return "signature"
    if not are_good(claims):
        return "claims"
    if claims["kind"] != case["kind"]:
        return "kind"
    if is_low_order(decode(claims["x"])) or (claims["kind"] == "issuer" and claims["kid"] != thumbprint(claims["x"])[:4]):
        return "key"
    if claims["exp"] - claims["nbf"] > LONGEST_LIFE_S:
        return "lifetime"
    if case["now_ms"] < (claims["nbf"] - SKEW_S) * 1000:
        return "nbf"
    return "exp" if case["now_ms"] >= claims["exp"] * 1000 else None


def are_good(claims):
    """Whether the claims are complete, in order and in range."""
    kind = claims.get("kind")
    if not isinstance(kind, str) or list(claims) != MEMBERS.get(kind):
        return False
    return (
        (kind == "issuer" or is_text(claims["sub"], "par_[0-9a-hjkmnp-tv-z]{16}"))
        and is_text(claims["kid"], "[A-Za-z0-9_-]{1,64}")
        and all(type(claims[name]) is int and 0 <= claims[name] <= LATEST_S for name in ("nbf", "exp"))
        and claims["nbf"] < claims["exp"]
        and is_bytes(claims["x"], 32)
        and is_bytes(claims["ser"], 16)
    )


def is_bytes(value, length):
    return isinstance(value, str) and len(decode(value) or b"") == length


def parse_object(part):
    try:
        value = parse((decode(part) or b"").decode())
    except UnicodeDecodeError:
        return None
    return value if isinstance(value, dict) else None


def thumbprint(x):
    """The RFC 7638 thumbprint of a public key in base64url."""
    return encode(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())
