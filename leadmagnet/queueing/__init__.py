"""Work through a broker: the leader hands out claims and plans, threads on any number of machines take them up.

A message carries an id and nothing else. What it stands for is in the database, so one that is lost costs a lease, and
one that comes twice or late finds nothing to do. Dramatiq lives here and nowhere else.
"""
