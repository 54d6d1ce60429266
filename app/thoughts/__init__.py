"""Think-in-Memory: short statements thought out of what was said, kept in hashed buckets."""
