"""Canonical base64url and JSON: a credential with several encodings would have several hashes."""

import base64
import json
import re


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    """The bytes of canonical base64url, or None: no padding, no foreign character, no bits after the last byte."""
    if re.fullmatch("[A-Za-z0-9_-]*", text) is None or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if encode(data) == text else None


def parse(text):
    """The value of canonical JSON, or None: no spaces, no escapes, no duplicate member."""
    try:
        value = json.loads(text)
        return value if json.dumps(value, separators=(",", ":"), ensure_ascii=False) == text else None
    except (ValueError, RecursionError):
        return None


def framed(*texts):
    """Texts, each preceded by its length in bytes as 4 bytes, most significant first: different lists of texts give different results."""
    return b"".join(len(data).to_bytes(4, "big") + data for data in (text.encode() for text in texts))
