"""The learning loop as a service's settings want it, and what it writes down for a restart.

For the trainer and for offline work alike; it imports torch, so ingest stays out.
"""
