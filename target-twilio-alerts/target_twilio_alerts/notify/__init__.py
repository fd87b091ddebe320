"""From an alert to its messages: whom to tell, over which channel, when, and in which words."""
