"""Presence proofs, as defined in docs/credentials.md: that the holder of a token's key is at the door now."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from access_token import ACTS, DELEGATE_TYPE, bound_token_id, is_low_order, read_claims, site_of
from refused import Refused
from canonical import decode, encode, framed

CHALLENGE_LIFE_MS = 60_000
LENGTHS = [16, 32, 64]


def judge_presence(text, proven, door, case):
    """Raises Refused unless the holder proved presence. The caller has consumed the challenge in any case."""
    if text is None:
        raise Refused("PRESENCE_MISSING", proven)
    parts = text.split(".")
    challenge, data = parts[0], [decode(part) for part in parts]
    if [part if part is None else len(part) for part in data] != LENGTHS:
        raise Refused("PRESENCE_MALFORMED", proven)
    _, public_key, signature = data
    age_ms = next((given["age_ms"] for given in case["state"]["challenges"] if given["challenge"] == challenge), None)
    if age_ms is None:
        raise Refused("CHALLENGE_UNKNOWN", proven)
    if not 0 <= age_ms < CHALLENGE_LIFE_MS:
        raise Refused("CHALLENGE_EXPIRED", proven)
    if is_low_order(public_key) or holder_hash(public_key) != proven["holder"]:
        raise Refused("HOLDER_KEY", proven)
    message = framed("petak-presence", case["site_id"], challenge, proven["id"], door)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused("PRESENCE_SIGNATURE", proven) from None


def shows_holder(receipt):
    """Whether the presence in a receipt shows that the holder of the token's key was at the site."""
    said, report = receipt["proof"], receipt["report"]
    text, _, proof = said["presence"].partition(".")
    parts = proof.split(".")
    data = [decode(part) for part in parts]
    if [part if part is None else len(part) for part in data] != LENGTHS or decode(text) is None:
        return False
    token_type = DELEGATE_TYPE if report["delegated"] else f"petak-{report['act'].lower()}"
    try:
        claims_text = decode(text).decode()
        claims = read_claims(claims_text, ACTS[token_type])
    except (KeyError, UnicodeDecodeError, Refused):
        return False
    token_id = bound_token_id(token_type, claims_text)
    is_token = encode(hashlib.sha256(token_id.encode()).digest()) == said["credential_hash"] and ACTS[token_type] == report["act"]
    site_id = site_of(claims["aud"])
    is_of = site_id == receipt["site_id"] and f"res_{site_id.split('_')[1]}_{claims.get('sub')}" == receipt["reservation_id"]
    _, public_key, signature = data
    if not is_token or not is_of or is_low_order(public_key) or holder_hash(public_key) != claims.get("cnf"):
        return False
    try:
        message = framed("petak-presence", receipt["site_id"], parts[0], token_id, "")
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def holder_hash(public_key):
    """The hash of a holder's key in tokens: 128 bits of its RFC 7638 thumbprint."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{encode(public_key)}"}}'
    return encode(hashlib.sha256(jwk.encode()).digest()[:16])
