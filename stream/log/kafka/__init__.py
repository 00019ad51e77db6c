"""The event log on Apache Kafka, through kafka-python.

Nobody but `stream.log.opening` needs to know what is in here.
"""
