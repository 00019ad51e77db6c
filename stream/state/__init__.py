"""Per-partition state on RocksDB: buffers, item graph, popularity, vocabulary, feed."""
