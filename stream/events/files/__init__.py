"""Files of other systems: CSV, JSON lines, Parquet; found, unpacked, checked row by row.

Only what turns files into event columns, or into titles of items, may enter.
"""
