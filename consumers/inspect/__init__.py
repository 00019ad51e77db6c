"""Answers to people: what state and model say."""
