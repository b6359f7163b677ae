"""Creates a webhook endpoint over gRPC: a call that outlives its token, so it carries a proof.

    python3 examples/courier-python/add_webhook.py --url https://hooks.example.com/petak

It needs the same packages as courier.py.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from pathlib import Path

from gateway import Gateway, GatewayError


def main() -> int:
    """Parses the command line and creates the endpoint."""
    parser = argparse.ArgumentParser(description="Creates a webhook endpoint.")
    parser.add_argument("--gateway", default=os.environ.get("PETAK_URL", "http://127.0.0.1:8420"))
    parser.add_argument("--key", type=Path, default=os.environ.get("PETAK_KEY", ".petak/keys/courier.json"))
    parser.add_argument("--url", required=True, help="where events are to be sent")
    options = parser.parse_args()
    gateway = Gateway(options.gateway, json.loads(Path(options.key).read_text(encoding="utf-8")))
    try:
        request = {"requestId": str(uuid.uuid4()), "url": options.url}
        created = gateway.call("WebhookService", "CreateEndpoint", request, prove=True)
        print(f"Events go to {created.endpoint.url} as {created.endpoint.endpoint_id}.")
    except GatewayError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        gateway.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
