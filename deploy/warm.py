"""Has the kernels compiled that roles call, of Kafka too; the image is built with it."""

import time

from kafka.record.memory_records import MemoryRecordsBuilder

from consumers.runtime.kernels import compile_ahead
from stream.events.clicks.codec import ClickCodec
from stream.events.clicks.encoding import encode_click
from stream.events.clicks.rules import EventRules
from stream.log.interface import RecordBatch
from stream.log.kafka.decoding.record_batches import BatchDecoder

CLICKS = 2000

if not compile_ahead(silent=False):
    raise SystemExit("what roles call could not be compiled: see above")
builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 24)
for number in range(CLICKS):
    value = encode_click(f"u{number % 50}", f"i{number % 30}", float(number))
    builder.append(timestamp=1000 * number, key=b"u%d" % (number % 50), value=value)
builder.close()
columns = BatchDecoder(builder.buffer(), topic="clicks", partition=0, fetch_offset=0).take(CLICKS)
if columns is None:
    raise SystemExit("the decoder read nothing")
batch = RecordBatch(
    topic="clicks",
    partition=0,
    offsets=columns.offsets,
    append_times=columns.times / 1000,
    keys=columns.keys,
    values=columns.values,
)
decoded = ClickCodec(EventRules()).decode(batch, time.time())
if len(decoded.clicks) != CLICKS:
    raise SystemExit(f"{len(decoded.bad)} clicks were refused, the first: {decoded.bad[0]}")
