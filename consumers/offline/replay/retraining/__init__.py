"""The baseline `retrained`: the joint model learned anew from all clicks, now and then.

Learning happens in processes beside the replay, which wait in no stage of it: what they cost is
told apart. What may enter here is what only this baseline needs.
"""
