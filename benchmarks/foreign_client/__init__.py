"""A shop that knows gsr by its documents alone, and judges its lists while roles are killed."""
