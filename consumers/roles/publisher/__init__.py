"""The publisher role: refreshed lists to the topic.

Here live the loop, the table of users, the queues of those who are due, and what is sent. It meets
the other roles in the log and the artifact store only, and imports none of them.
"""
