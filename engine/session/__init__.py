"""The engine as a process of its own: what is said to it, what it answers, how it survives a kill."""
