"""What is measured in a process of its own: it starts as a user's does, and holds nobody else's clients.

Each module but `running` and `telling` is run by `bench.children.running`, and prints its figures as JSON.
"""
