"""Lists for users, made of the newest serving view, the newest model and item controls.

Only what scores, masks, names or explains items may enter; when lists are due, and sending them, is
the publisher's.
"""
