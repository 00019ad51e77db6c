"""The other records: sequences, recommendations, item controls, dead letters; their schemas.

One file per kind of record. Only formats may enter, not who sends or reads them.
"""
