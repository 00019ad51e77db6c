"""The flat index of faiss, in an environment of its own."""
