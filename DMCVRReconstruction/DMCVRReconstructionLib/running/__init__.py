"""The reconstruction in a process of its own, and what that process needs."""
