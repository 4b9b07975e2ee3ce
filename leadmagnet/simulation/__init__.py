"""The real engine on a virtual clock, against a simulated provider and simulated people, with a check of its own.

Seeded: the same seed gives the same run. It works on a database of its own and stands beside the worker, above the
rooms. Must not know: HTTP, the command line, the wall clock.
"""
