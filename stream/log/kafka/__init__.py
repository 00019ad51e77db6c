"""The event log on Apache Kafka, through kafka-python."""
