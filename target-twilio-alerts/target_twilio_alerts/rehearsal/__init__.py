"""Rules tried before they run, and told of afterwards, by the same code that decides records."""
