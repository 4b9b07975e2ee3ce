"""Sequences and email texts.

From files into the database and back. Must not know: who stands in a sequence, or where.
"""
