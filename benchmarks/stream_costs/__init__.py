"""What the model of the stream costs as clicks, users and items grow; retrieval beside it."""
