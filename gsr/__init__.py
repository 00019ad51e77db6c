"""The model as a library: item graph, sequence encoder, learning, retrieval, metrics."""
