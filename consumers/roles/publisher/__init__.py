"""The publisher role: refreshed lists to the topic."""
