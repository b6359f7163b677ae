"""Access tokens, judged in the order of docs/credentials.md. Nothing of a token is trusted before its signature is verified."""

import hashlib
import re

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from refused import Refused
from canonical import decode, encode, framed, parse

DELEGATE_TYPE = "petak-delegate"
ACTS = {
    "petak-deposit": "DEPOSIT",
    "petak-collect": "COLLECT",
    "petak-recall": "RECALL",
    "petak-service": "SERVICE",
    DELEGATE_TYPE: "COLLECT",
}
LONGEST_TOKEN = 320
LONGEST_LIFE_S = 14 * 86_400
LATEST_S = 9_999_999_999
BASE32_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
BASE32 = f"[{BASE32_LETTERS}]"

# The y coordinates of the points of low order, without the sign of x, in every encoding: little-endian, as in RFC 8032.
LOW_ORDER = {
    bytes.fromhex(y)
    for y in (
        "01" + "00" * 31,  # order 1
        "ee" + "ff" * 30 + "7f",  # the same, spelt p + 1
        "ec" + "ff" * 30 + "7f",  # order 2
        "00" * 32,  # order 4
        "ed" + "ff" * 30 + "7f",  # the same, spelt p
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  # order 8
    )
}


def judge_token(token, case):
    """The verified facts of a token. Raises Refused."""
    if case["trust_bundle"] is None:
        raise Refused("NOT_BOOTED")
    token_type, key_id, claims_text = read_token(token)
    act = ACTS[token_type]
    key = find_key(case["trust_bundle"], key_id, case["now_ms"])
    try:
        # The rules are stricter than a JWT's, so the library verifies the signature only. It uses an algorithm from the list here.
        jwt.PyJWS().decode(token, Ed25519PublicKey.from_public_bytes(key), algorithms=["EdDSA"])
    except jwt.InvalidTokenError:
        raise Refused("SIGNATURE") from None
    claims = read_claims(claims_text, act)
    region = site_of(claims["aud"]).split("_")[1]
    proven = {
        "act": act,
        "reservation_id": f"res_{region}_{claims['sub']}" if "sub" in claims and act != "SERVICE" else "",
        "bundle_id": f"bdl_{region}_{claims['bdl']}" if "bdl" in claims else "",
        "delegated": token_type == DELEGATE_TYPE,
        "id": claims["jti"] if "jti" in claims else bound_token_id(token_type, claims_text),
        "holder": claims.get("cnf"),  # None: it opens for whoever shows it.
        "door": claims["sub"] if act == "SERVICE" else "",
        "size_class": claims.get("sz"),
    }
    refusal = judge_claims(claims, case)
    if refusal is not None:
        raise Refused(refusal, proven)
    return proven


def read_token(token):
    """Type, key id and the text of the claims."""
    segments = token.split(".")
    if len(token) > LONGEST_TOKEN or len(segments) != 3:
        raise Refused("MALFORMED")
    header_bytes, claims_bytes, signature = (decode(segment) for segment in segments)
    try:
        header, claims_text = parse(header_bytes.decode()), claims_bytes.decode()
    except (AttributeError, UnicodeDecodeError):
        raise Refused("MALFORMED") from None
    if not isinstance(header, dict) or signature is None:
        raise Refused("MALFORMED")
    if header.get("alg") != "EdDSA":
        raise Refused("ALGORITHM")
    if not isinstance(header.get("typ"), str) or header["typ"] not in ACTS:
        raise Refused("TYPE")
    key_id = header.get("kid")
    if list(header) != ["alg", "typ", "kid"] or not isinstance(key_id, str) or len(key_id) != 4 or len(signature) != 64:
        raise Refused("MALFORMED")
    return header["typ"], key_id, claims_text


def find_key(bundle, key_id, now_ms):
    """The 32 bytes of an issuer's key that is trusted now."""
    if now_ms >= bundle["not_after_ms"]:
        raise Refused("BUNDLE_EXPIRED")
    key = next((key for key in bundle["issuer_keys"] if key["key_id"] == key_id), None)
    if key is None:
        raise Refused("ISSUER_UNKNOWN")
    if now_ms >= key["not_after_ms"]:
        raise Refused("ISSUER_EXPIRED")
    public_key = decode(key["public_key"])
    if len(public_key) != 32 or is_low_order(public_key):
        raise Refused("ISSUER_UNKNOWN")
    return public_key


def is_low_order(public_key):
    """Whether 32 bytes are a point of low order, for which one signature fits many messages."""
    return public_key[:31] + bytes([public_key[31] & 0x7F]) in LOW_ORDER


def bound_token_id(token_type, claims_text):
    """The id of a token that is bound to a key, which is derived because the token contains none."""
    message = framed("petak-bound-token-id", token_type, claims_text)
    return encode(hashlib.sha256(message).digest()[:16])


def read_claims(text, act):
    """The claims, if each is present, in order, in canonical form and in range: a reservation's, a bundle's to collect, or a site's."""
    claims = parse(text)
    members = list(claims) if isinstance(claims, dict) else []
    # "cnf" names the key of the token's holder, and replaces the id.
    id_name = "cnf" if "cnf" in members or act in ("RECALL", "SERVICE") else "jti"
    if act == "SERVICE":
        subject, subject_form, expected = "sub", "[A-Za-z0-9_-]{0,16}", ["aud", "sub", id_name, "nbf", "exp"]
    elif "bdl" in members and act == "COLLECT":
        subject, subject_form, expected = "bdl", f"{BASE32}{{16}}", ["aud", "bdl", "jti", "nbf", "exp"]
    else:
        subject, subject_form, expected = "sub", f"{BASE32}{{16}}", ["aud", "sub", id_name, "nbf", "exp", "sz"]
    if members != expected:
        raise Refused("CLAIMS")
    nbf, exp, size_class = claims["nbf"], claims["exp"], claims.get("sz", 0)
    is_good = (
        is_text(claims["aud"], "[A-Za-z0-9_-]{16}")
        # Site numbers start at 1.
        and not site_of(claims["aud"]).endswith("000000")
        and is_text(claims[subject], subject_form)
        and isinstance(claims[id_name], str)
        and len(decode(claims[id_name]) or b"") == 16
        and all(type(time) is int and 0 <= time <= LATEST_S for time in (nbf, exp))
        and nbf < exp
        and type(size_class) is int
        and 0 <= size_class <= 7
    )
    if not is_good:
        raise Refused("CLAIMS")
    return claims


def site_of(aud):
    """The id of a token's site from twelve bytes: two of the region, without the common prefix 83, and ten of base 32."""
    packed = decode(aud)
    bits = int.from_bytes(packed[2:], "big")
    local = "".join(BASE32_LETTERS[bits >> shift & 31] for shift in range(75, -1, -5))
    return f"site_83{packed[:2].hex()}_{local}"


def judge_claims(claims, case):
    """Why a genuine token is not accepted here and now, or None."""
    now_ms, skew_ms, is_trusted = case["now_ms"], case["max_skew_ms"], case["clock_trusted"]
    begin_ms, end_ms = claims["nbf"] * 1000, claims["exp"] * 1000
    if site_of(claims["aud"]) != case["site_id"]:
        return "SITE"
    if claims["exp"] - claims["nbf"] > LONGEST_LIFE_S:
        return "TOO_LONG_LIVED"
    if now_ms < begin_ms - skew_ms:
        return "NOT_YET_VALID"
    if now_ms >= end_ms + (skew_ms if is_trusted else 0):
        return "EXPIRED"
    if not is_trusted and begin_ms < now_ms - skew_ms:
        return "CLOCK_UNTRUSTED"
    return None


def is_text(value, pattern):
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
