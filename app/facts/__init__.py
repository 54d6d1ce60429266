"""What holds when, and since when we know it: facts of memories, and where two contradict."""
