"""The trainer role: test, train, judge, snapshot."""
