"""Presence proofs, as defined in docs/credentials.md: that the holder of a token's key is at the door now."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from access_token import is_low_order
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


def holder_hash(public_key):
    """The hash of a holder's key in tokens: 128 bits of its RFC 7638 thumbprint."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{encode(public_key)}"}}'
    return encode(hashlib.sha256(jwk.encode()).digest()[:16])
