"""The rules, pure: standard library only. No session, no settings, no Flask, no clock."""
