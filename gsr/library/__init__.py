"""The library's face: data frames of clicks in, lists out, with the learner of the stream.

What reads frames, holds a loop, asks it for lists and stores it may enter; how anything is counted,
learned or ranked may not.
"""
