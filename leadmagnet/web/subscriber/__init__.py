"""Pages whose address is a key: a person's videos, check-ins, own page, confirming and leaving. No login."""
