"""A process that appends numbered batches; run as ``python appender.py DIRECTORY NAME …``.

Prints a line for each batch once it is durable. A batch's values are ``NAME:BATCH:RECORD``.
"""

import argparse
import resource
import sys
from pathlib import Path

from stream.clock import SystemClock
from stream.errors import LogFullError
from stream.log.embedded.log import EmbeddedLog
from stream.log.interface import Outgoing

TOPIC = "t"
DISK_FULL_STATUS = 28


def main() -> int:
    """Append until told to stop, killed, or out of space."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("name")
    parser.add_argument("--batches", type=int, default=10**9)
    parser.add_argument("--records", type=int, default=20)
    parser.add_argument("--value-bytes", type=int, default=0)
    parser.add_argument("--file-bytes", type=int, help="no file may grow past this")
    arguments = parser.parse_args()
    if arguments.file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (arguments.file_bytes,) * 2)
    log = EmbeddedLog(arguments.directory, SystemClock())
    writer = log.writer(TOPIC)
    for batch in range(arguments.batches):
        records = [
            Outgoing(
                b"key-%d" % number,
                f"{arguments.name}:{batch}:{number}".encode().ljust(arguments.value_bytes),
            )
            for number in range(arguments.records)
        ]
        try:
            writer.append(records)
        except LogFullError as error:
            sys.stderr.write(f"{error}\n")
            return DISK_FULL_STATUS
        sys.stdout.write(f"{batch}\n")
        sys.stdout.flush()
    log.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
