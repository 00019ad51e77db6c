"""Asks /livez of each role in this container; fails where one hangs, or none answers.

A container runs one role or all of them. A port that nobody listens on belongs to a role that runs
elsewhere.
"""

import http.client
import os
import sys

PORTS = {"INGEST": 9301, "TRAINER": 9302, "PUBLISHER": 9303, "SERVE": 9304}
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on
SECONDS = 4.0


def main() -> int:
    """Return 0 where every role that listens is alive."""
    host = os.environ.get("GSR_HTTP__HOST", "127.0.0.1")
    host = ANYWHERE.get(host, host)
    answered = False
    for role, usual in PORTS.items():
        port = int(os.environ.get(f"GSR_HTTP__{role}_PORT", usual))
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS / len(PORTS))
        try:
            connection.request("GET", "/livez")
            if connection.getresponse().status != http.client.OK:
                return 1
        except ConnectionRefusedError:
            continue
        except OSError:
            return 1
        finally:
            connection.close()
        answered = True
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(main())
