"""Clicks from Kafka into durable state: ours, its parts, Kafka Streams and Quix Streams.

::

    python -m benchmarks.ingest_kafka.install
    python -m benchmarks.ingest_kafka --out run/ingest_kafka.json

`README.md` in this folder says what is compared, and how fairly.
"""
