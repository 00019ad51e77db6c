"""The way to a Kafka cluster: settings, clients, questions, topics, what its errors mean.

What neither reads nor writes records may enter.
"""
