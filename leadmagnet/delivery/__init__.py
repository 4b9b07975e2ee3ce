"""due -> claimed -> sent -> settled. The send path: nothing lost, nothing twice.

Claim and commit; send with no transaction open; settle and commit. Must not know: why an email was planned.
"""
