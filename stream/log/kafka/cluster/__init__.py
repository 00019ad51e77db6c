"""The way to a Kafka cluster: settings, clients, questions, topics, errors.

What neither reads nor writes records may enter.
"""
