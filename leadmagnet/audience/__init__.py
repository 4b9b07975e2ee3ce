"""Subscriber lists: search, groups, one person's timeline, import, export, erase. Must not know: pages, commands."""
