"""Visitor -> pending subscriber -> confirmed. Must not know: sequences beyond their slug, emails beyond their kind."""
