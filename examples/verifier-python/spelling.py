"""base64url and JSON in their one spelling: a credential that could be respelt would have several hashes."""

import base64
import json
import re


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    """The bytes of base64url in its one spelling, or None: no padding, no foreign letter, no bits after the last byte."""
    if re.fullmatch("[A-Za-z0-9_-]*", text) is None or len(text) % 4 == 1:
        return None
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return data if encode(data) == text else None


def parse(text):
    """The value of JSON in its one spelling, or None: no spaces, no escapes, no member twice."""
    try:
        value = json.loads(text)
        return value if json.dumps(value, separators=(",", ":"), ensure_ascii=False) == text else None
    except (ValueError, RecursionError):
        return None


def framed(*texts):
    """Texts, each preceded by its length in bytes, in 4 bytes with the highest first: no two lists of texts give the same."""
    return b"".join(len(data).to_bytes(4, "big") + data for data in (text.encode() for text in texts))
